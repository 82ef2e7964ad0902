import { spawn } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { readJson } from "./files.mjs";
import { endProcess, findProcess, signalGroup } from "./processes.mjs";

/**
 * @typedef {object} GuardOrder
 * @property {string} command
 * @property {string[]} args
 * @property {string} [argv0]
 * @property {string} [log] where the program's output goes; without it, where the launcher's goes
 * @property {import("./nobody.mjs").User | undefined} [user] whom the program runs as, if not as its launcher
 * @property {string} pidFile
 * @property {number} graceMs how long the program may take to stop once its launcher has died
 */

/** @typedef {{ code: number | null, signal: NodeJS.Signals | null }} Exit */

/**
 * @typedef {object} Guarded
 * @property {Promise<number>} started the program's process number; rejects when it cannot be run at all
 * @property {Promise<Exit>} exited
 * @property {(signal: NodeJS.Signals) => void} signal asks the program itself to stop
 * @property {(graceMs: number) => Promise<void>} stop SIGTERM, and after `graceMs` SIGKILL; gone when it returns
 * @property {() => void} force SIGKILL for the program and all it has started
 */

const guardFile = fileURLToPath(new URL("guard.mjs", import.meta.url));

/** @type {Set<Guarded>} */
const running = new Set();

/**
 * Starts a program that dies with this process, even if this process is killed. Its number is kept in
 * `<directory>/<name>.pid` while it runs, for `endLeftovers`.
 *
 * @param {{ name: string, directory: string, cwd?: string, env?: NodeJS.ProcessEnv, graceMs?: number }
 *   & Pick<GuardOrder, "command" | "args" | "argv0" | "log" | "user">} options
 * @returns {Guarded}
 */
export function runGuarded({ name, directory, cwd, env, graceMs = 20_000, ...rest }) {
  /** @type {GuardOrder} */
  const order = { ...rest, graceMs, pidFile: path.join(directory, `${name}.pid`) };
  const guard = spawn(process.execPath, [guardFile, JSON.stringify(order)], {
    ...(cwd === undefined ? {} : { cwd }),
    env: env ?? process.env,
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    detached: true,
  });
  const { program, started, exited } = follow(guard, name);
  // Whoever does not wait for the start learns of its failure from `exited`.
  started.catch(() => undefined);
  const force = () => {
    if (program.pid !== undefined) signalGroup(program.pid, "SIGKILL");
  };
  /** @type {Guarded} */
  const guarded = {
    started,
    exited,
    force,
    signal: (signal) => guard.kill(signal),
    stop: async (patienceMs) => {
      guard.kill("SIGTERM");
      const timer = setTimeout(force, patienceMs);
      await exited;
      clearTimeout(timer);
    },
  };
  running.add(guarded);
  void exited.then(() => running.delete(guarded));
  return guarded;
}

/** Kills everything this process has started through `runGuarded`. */
export function forceAll() {
  for (const guarded of running) guarded.force();
}

/**
 * Ends the programs that an earlier, killed launcher left behind in this folder.
 *
 * @param {string} directory
 * @param {(line: string) => void} log
 */
export async function endLeftovers(directory, log) {
  const pidFiles = readdirSync(directory).filter((file) => file.endsWith(".pid"));
  for (const file of pidFiles) {
    const id = readJson(path.join(directory, file));
    if (id && findProcess(id.pid)?.startedAt === id.startedAt) {
      log(`ending ${path.basename(file, ".pid")} (process ${id.pid}), left over from an earlier run`);
      await endProcess(id, { graceMs: 10_000 });
    }
    rmSync(path.join(directory, file), { force: true });
  }
}

/**
 * @param {import("node:child_process").ChildProcess} guard
 * @param {string} name
 * @returns {{ program: { pid?: number }, started: Promise<number>, exited: Promise<Exit> }}
 */
function follow(guard, name) {
  /** @type {{ pid?: number }} */
  const program = {};
  /** @type {Exit | undefined} */
  let exit;
  /** @type {Promise<number>} */
  const started = new Promise((resolve, reject) => {
    guard.on("message", (/** @type {{ pid?: number, error?: string, exit?: Exit }} */ message) => {
      exit ??= message.exit;
      if (message.pid !== undefined) resolve((program.pid = message.pid));
      if (message.error !== undefined) reject(new Error(`${name} cannot be run: ${message.error}`));
    });
    guard.once("error", reject);
    guard.once("exit", () => {
      reject(new Error(`${name} ended before it began`));
    });
  });
  /** @type {Promise<Exit>} */
  const exited = new Promise((resolve) => {
    const end = async (/** @type {number | null} */ code, /** @type {NodeJS.Signals | null} */ signal) => {
      // A guard that was killed could not stop its program: that is then ours to do.
      const orphan = exit === undefined && program.pid !== undefined ? findProcess(program.pid) : undefined;
      if (orphan) await endProcess(orphan, { graceMs: 10_000 });
      resolve(exit ?? { code, signal });
    };
    guard.once("error", () => void end(127, null));
    guard.once("close", (code, signal) => void end(code, signal));
  });
  return { program, started, exited };
}
