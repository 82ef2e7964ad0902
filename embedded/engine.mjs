import { rmSync } from "node:fs";
import path from "node:path";
import { tail } from "./files.mjs";
import { runGuarded } from "./guarded.mjs";
import { freePort } from "./ports.mjs";
import { Refusal } from "./refusal.mjs";
import { waitUntil } from "./wait.mjs";

/** @typedef {import("./guarded.mjs").Guarded} Guarded */

/**
 * What an engine is run as.
 *
 * @typedef {object} Program
 * @property {string} command
 * @property {string[]} args
 * @property {string} [argv0]
 * @property {NodeJS.ProcessEnv} [env] in place of this process's
 * @property {string} [cwd] in place of the session's folder
 * @property {import("./nobody.mjs").User | undefined} [user] in place of this process's
 */

/**
 * @typedef {object} Engine
 * @property {string} name
 * @property {boolean} [optional] whether the application can do without: then nobody waits for it
 * @property {() => Promise<void>} prepare makes the data folder fit to be opened
 * @property {(port: number) => Program} program
 * @property {(port: number) => Promise<boolean>} ready
 * @property {(port: number) => Record<string, string>} addresses what the application's environment gets
 */

/**
 * @typedef {object} EngineOptions
 * @property {string} directory
 * @property {(line: string) => void} log
 * @property {AbortSignal} signal aborts a start that is under way
 * @property {(reason: Error) => void} onFailure called once if the engine cannot be kept alive
 */

/** @typedef {{ addresses: Record<string, string>, stop: () => Promise<void> }} RunningEngine */

const startTimeoutMs = 60_000;
const stopTimeoutMs = 30_000;
// An engine that dies this often in this time will not get better by being started again.
const mostDeaths = 5;
const deathsWithinMs = 60_000;

/**
 * Starts an engine and keeps it alive: killed, it comes back on the same port with the same data. It answers
 * when this returns, unless it is optional; when this throws, nothing of it is left.
 *
 * @param {Engine} engine
 * @param {EngineOptions} options
 * @returns {Promise<RunningEngine>}
 */
export async function runEngine(engine, options) {
  rmSync(logFile(engine, options.directory), { force: true });
  const { port, server } = await (engine.optional ? startUnawaited : startOnFreePort)(engine, options);
  const life = { server, stopping: false };
  const started = engine.optional ? confirmStart(engine, port, life, options) : Promise.resolve();
  const kept = started
    .then(() => keepAlive(engine, port, life, options))
    .catch((/** @type {unknown} */ reason) => {
      if (life.stopping) return;
      if (engine.optional) options.log(`${/** @type {Error} */ (reason).message}\nGoing on without it.`);
      else options.onFailure(/** @type {Error} */ (reason));
    });
  return {
    addresses: engine.addresses(port),
    async stop() {
      life.stopping = true;
      await life.server.stop(stopTimeoutMs);
      await kept;
    },
  };
}

/**
 * @param {Engine} engine
 * @param {number} port
 * @param {{ server: Guarded, stopping: boolean }} life
 * @param {EngineOptions} options
 */
async function keepAlive(engine, port, life, { directory, log }) {
  /** @type {number[]} */
  const deaths = [];
  const stopping = () => life.stopping;
  for (;;) {
    const { code, signal } = await life.server.exited;
    if (stopping()) return;
    const now = performance.now();
    deaths.push(now);
    const recent = deaths.filter((time) => now - time < deathsWithinMs).length;
    if (recent >= mostDeaths)
      throw new Refusal(lastWords(engine, directory, `died ${recent} times within a minute`));
    log(
      `${engine.name} has died (${signal ?? `code ${code ?? "unknown"}`}), starting it again on port ${port}`,
    );
    await engine.prepare();
    life.server = launch(engine, port, directory);
    if (stopping()) await life.server.stop(stopTimeoutMs);
  }
}

/**
 * @param {Engine} engine
 * @param {EngineOptions} options
 */
async function startUnawaited(engine, { directory }) {
  await engine.prepare();
  const port = await freePort();
  return { port, server: launch(engine, port, directory) };
}

/**
 * @param {Engine} engine
 * @param {number} port
 * @param {{ server: Guarded, stopping: boolean }} life
 * @param {EngineOptions} options
 */
async function confirmStart(engine, port, { server }, { directory, signal }) {
  const fault = await waitUntilReady(engine, port, { server, signal });
  // A session that is ending stops it in its turn.
  if (fault === undefined || signal.aborted) return;
  await server.stop(stopTimeoutMs);
  throw new Refusal(lastWords(engine, directory, fault));
}

/**
 * @param {Engine} engine
 * @param {EngineOptions} options
 */
async function startOnFreePort(engine, { directory, signal }) {
  await engine.prepare();
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const server = launch(engine, port, directory);
    const fault = await waitUntilReady(engine, port, { server, signal });
    if (fault === undefined) return { port, server };
    await server.stop(stopTimeoutMs);
    // Somebody may have taken the port between the look and the start.
    const taken = /address already in use|can't start server: bind/i.test(tail(logFile(engine, directory)));
    if (!taken || attempt === mostDeaths) throw new Refusal(lastWords(engine, directory, fault));
  }
}

/**
 * @param {Engine} engine
 * @param {number} port
 * @param {string} directory
 */
function launch(engine, port, directory) {
  const log = logFile(engine, directory);
  return runGuarded({ name: engine.name, directory, cwd: directory, log, ...engine.program(port) });
}

/**
 * @param {Engine} engine
 * @param {number} port
 * @param {{ server: Guarded, signal: AbortSignal }} options
 * @returns {Promise<string | undefined>} what went wrong, if anything did
 */
async function waitUntilReady(engine, port, { server, signal }) {
  const life = { over: false };
  void server.exited.then(() => (life.over = true));
  const state = async () => {
    if (life.over) return "died before it was ready";
    return (await engine.ready(port)) ? "ready" : undefined;
  };
  // Where nobody waits, slow is no fault.
  const timeoutMs = engine.optional ? Infinity : startTimeoutMs;
  const reached = await waitUntil(state, { timeoutMs, signal });
  if (reached === "ready") return undefined;
  return (
    reached ?? (signal.aborted ? "was stopped" : `has not answered for ${startTimeoutMs / 1_000} seconds`)
  );
}

/**
 * @param {Engine} engine
 * @param {string} directory
 */
function logFile(engine, directory) {
  return path.join(directory, `${engine.name}.log`);
}

/**
 * @param {Engine} engine
 * @param {string} directory
 * @param {string} fate
 */
function lastWords(engine, directory, fate) {
  const file = logFile(engine, directory);
  return `${engine.name} ${fate}. The end of ${file}:\n${tail(file)}`;
}
