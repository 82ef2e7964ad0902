// Runs one program and outlives whoever asked for it by as little as possible: when the asker dies, however
// suddenly, its channel closes, and the program is stopped. Asked for by guarded.mjs, in a session of its own, so
// that a Ctrl-C in the terminal reaches the launcher alone and the launcher decides the order of stopping.
import { spawn } from "node:child_process";
import { openSync, rmSync } from "node:fs";
import { writePrivate } from "./files.mjs";
import { findProcess, signalGroup } from "./processes.mjs";

/** @typedef {import("./guarded.mjs").GuardOrder} GuardOrder */

const order = /** @type {GuardOrder} */ (JSON.parse(process.argv[2] ?? ""));
const output = order.log === undefined ? "inherit" : openSync(order.log, "a", 0o600);

// Before the program runs: a signal that came in between would end the guard and leave the program alone.
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.on(signal, () => child.kill(signal));
}

const child = spawn(order.command, order.args, {
  argv0: order.argv0 ?? order.command,
  ...order.user,
  stdio: [order.log === undefined ? "inherit" : "ignore", output, output],
  // A group of its own: what the program has started can then be ended with it.
  detached: true,
});

child.once("spawn", () => {
  const id = findProcess(child.pid ?? 0);
  if (id) writePrivate(order.pidFile, JSON.stringify(id));
  tell({ pid: child.pid });
  if (!process.connected) stop();
});

child.once("error", (error) => {
  tell({ error: error.message });
  leave(127);
});

child.once("exit", (code, signal) => {
  signalGroup(child.pid ?? 0, "SIGKILL");
  rmSync(order.pidFile, { force: true });
  tell({ exit: { code, signal } });
  leave(code ?? 1);
});

process.once("disconnect", stop);

function stop() {
  child.kill("SIGTERM");
  setTimeout(() => {
    signalGroup(child.pid ?? 0, "SIGKILL");
  }, order.graceMs).unref();
}

/** @param {object} message */
function tell(message) {
  // The asker may die at any moment: then there is nobody left to tell.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

/** @param {number} code */
function leave(code) {
  process.exitCode = code;
  process.off("disconnect", stop);
  if (process.connected) process.disconnect();
}
