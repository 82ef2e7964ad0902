// npm run test:crash -- --minutes 10 --seed 42: the torture of test/crash/, for as long as it is told.
import { mkdirSync, rmSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import { forceAll, runGuarded } from "./guarded.mjs";
import { ensureModules } from "./modules.mjs";
import { requireNode, root, workDirectory } from "./project.mjs";
import { reportFailure } from "./refusal.mjs";
import { abortOnSignals } from "./signals.mjs";

const directory = path.join(workDirectory, `crash-${process.pid}`);

/** @param {string[]} args */
async function torture(args) {
  requireNode();
  await ensureModules();
  const signal = abortOnSignals(forceAll);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const command = process.execPath;
  const program = { command, args: ["--import", "tsx", "test/crash/main.ts", ...args] };
  // The engines' data goes where the launcher removes it, however the torture ends.
  const env = { ...process.env, TMPDIR: directory };
  const running = runGuarded({ name: "crash", directory, cwd: root, env, ...program });
  // At once, with all it has started: there is nothing to be saved.
  signal.addEventListener("abort", running.force, { once: true });
  const exit = await running.exited;
  return exit.code ?? 128 + constants.signals[exit.signal ?? "SIGKILL"];
}

try {
  process.exitCode = await torture(process.argv.slice(2));
} catch (error) {
  reportFailure(error);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
