import { mkdirSync } from "node:fs";
import { constants } from "node:os";
import { startEngines } from "./engines.mjs";
import { endLeftovers, forceAll, runGuarded } from "./guarded.mjs";
import { takeLock } from "./lock.mjs";
import { root } from "./project.mjs";
import { Refusal, reportFailure } from "./refusal.mjs";
import { abortOnSignals } from "./signals.mjs";
import { lockFile, readRunningState, removeState, writeState } from "./state.mjs";

/**
 * @typedef {object} Session
 * @property {NodeJS.ProcessEnv} env with the addresses of the engines
 * @property {AbortSignal} signal aborts when the session is to end
 * @property {(name: string, args: string[]) => Promise<number>} node runs Node with these arguments in the
 *   project's folder until it ends, or is ended with the session; resolves to its exit code
 */

/**
 * @typedef {object} SessionOptions
 * @property {string} directory this session's own: its lock, its data, its state
 * @property {NodeJS.ProcessEnv} env
 * @property {string} [address] where the API will answer, for whoever asks who is running
 * @property {(line: string) => void} log
 */

// The application has a deadline of its own for stopping, which lies below this.
const programStopMs = 30_000;

/**
 * Runs `body` with engines around it: they are there before it begins and are stopped when it has ended, by
 * itself, by a signal or because an engine could not be kept alive. Only one session can use a folder.
 *
 * @param {SessionOptions} options
 * @param {(session: Session) => Promise<number>} body
 * @returns {Promise<number>} the exit code
 */
export async function runSession(options, body) {
  const { directory, log } = options;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const lock = takeLock(lockFile(directory));
  if ("holder" in lock) throw alreadyRunning(directory, lock.holder.pid);
  const signal = abortOnSignals(() => {
    forceAll();
    lock.release();
    process.exit(130);
  });
  try {
    await endLeftovers(directory, log);
    return await withEngines(options, signal, body);
  } catch (error) {
    // A start that was interrupted fails in ways nobody needs to hear of.
    if (signal.aborted) return exitCodeOf(signal.reason);
    throw error;
  } finally {
    lock.release();
  }
}

/**
 * @param {SessionOptions} options
 * @param {AbortSignal} signal
 * @param {(session: Session) => Promise<number>} body
 */
async function withEngines({ directory, env, address, log }, signal, body) {
  const failure = new AbortController();
  const ending = AbortSignal.any([signal, failure.signal]);
  const onFailure = (/** @type {Error} */ reason) => {
    reportFailure(reason);
    failure.abort("SIGTERM");
  };
  const engines = await startEngines({ directory, env, log, signal, onFailure });
  try {
    writeState(directory, { addresses: engines.addresses, ...(address === undefined ? {} : { address }) });
    const sessionEnv = { ...env, ...engines.addresses };
    const node = (/** @type {string} */ name, /** @type {string[]} */ args) =>
      runNode(name, args, { directory, env: sessionEnv, ending });
    const code = ending.aborted
      ? exitCodeOf(ending.reason)
      : await body({ env: sessionEnv, signal: ending, node });
    return failure.signal.aborted ? 1 : code;
  } finally {
    removeState(directory);
    await engines.stop();
  }
}

/**
 * @param {string} name
 * @param {string[]} args
 * @param {{ directory: string, env: NodeJS.ProcessEnv, ending: AbortSignal }} options
 */
async function runNode(name, args, { directory, env, ending }) {
  if (ending.aborted) return exitCodeOf(ending.reason);
  const program = runGuarded({ name, directory, cwd: root, env, command: process.execPath, args });
  const stop = () => {
    program.signal(ending.reason === "SIGINT" ? "SIGINT" : "SIGTERM");
    setTimeout(program.force, programStopMs).unref();
  };
  ending.addEventListener("abort", stop, { once: true });
  const { code, signal } = await program.exited;
  ending.removeEventListener("abort", stop);
  return code ?? exitCodeOf(signal ?? "SIGKILL");
}

/** As a shell would put it. @param {NodeJS.Signals} signal */
function exitCodeOf(signal) {
  return 128 + constants.signals[signal];
}

/**
 * @param {string} directory
 * @param {number} pid
 */
function alreadyRunning(directory, pid) {
  const address = readRunningState(directory)?.address;
  const where = address === undefined ? "" : ` and answers at ${address}`;
  return new Refusal(
    `already running: process ${pid}${where}. Stop it first (Ctrl-C there, or kill ${pid}).`,
  );
}
