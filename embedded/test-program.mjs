import { mkdirSync, rmSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import { forceAll, runGuarded } from "./guarded.mjs";
import { ensureModules } from "./modules.mjs";
import { requireNode, root, workDirectory } from "./project.mjs";
import { reportFailure } from "./refusal.mjs";
import { abortOnSignals } from "./signals.mjs";

/**
 * Runs a program of the tests that starts engines for itself, to its end; its exit code becomes this process's. All
 * that it has written is removed, however it ends.
 *
 * @param {string} name
 * @param {string[]} args the program and its arguments
 */
export async function runTestProgram(name, args) {
  const directory = path.join(workDirectory, `${name}-${process.pid}`);
  try {
    process.exitCode = await run(name, directory, args);
  } catch (error) {
    reportFailure(error);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * @param {string} name
 * @param {string} directory
 * @param {string[]} args
 */
async function run(name, directory, args) {
  requireNode();
  await ensureModules();
  const signal = abortOnSignals(forceAll);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const program = { command: process.execPath, args: ["--import", "tsx", ...args] };
  // The engines' data goes where the launcher removes it.
  const env = { ...process.env, TMPDIR: directory };
  const running = runGuarded({ name, directory, cwd: root, env, ...program });
  // At once, with all it has started: there is nothing to be saved.
  signal.addEventListener("abort", running.force, { once: true });
  const exit = await running.exited;
  return exit.code ?? 128 + constants.signals[exit.signal ?? "SIGKILL"];
}
