import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { waitUntil } from "./wait.mjs";

/**
 * A process, told apart from a later one that was given the same number by the time it started.
 *
 * @typedef {{ pid: number, startedAt: string }} ProcessId
 */

/** @returns {ProcessId} */
export function thisProcess() {
  return { pid: process.pid, startedAt: startTime(process.pid) ?? "" };
}

/**
 * The process with this number as it is now; `undefined` when there is none.
 *
 * @param {number} pid
 * @returns {ProcessId | undefined}
 */
export function findProcess(pid) {
  const startedAt = startTime(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

/**
 * The number of a process's parent, where /proc tells it.
 *
 * @param {number} pid
 */
export function parentOf(pid) {
  const parent = statFields(pid)[1];
  return parent === undefined ? undefined : Number(parent);
}

/** @param {ProcessId} id */
export function isRunning({ pid, startedAt }) {
  return startTime(pid) === startedAt;
}

/**
 * Ends a process and the group it leads: politely, and after `graceMs` by force. It is gone when this returns.
 *
 * @param {ProcessId} id
 * @param {{ graceMs: number }} options
 */
export async function endProcess(id, { graceMs }) {
  const gone = () => !isRunning(id);
  if (gone()) return;
  signalGroup(id.pid, "SIGTERM");
  if (await waitUntil(gone, { timeoutMs: graceMs })) return;
  signalGroup(id.pid, "SIGKILL");
  await waitUntil(gone, { timeoutMs: 10_000 });
}

/**
 * Signals the group a process leads, or the process alone when it leads none; no error when it is gone.
 *
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 */
export function signalGroup(pid, signal) {
  if (pid <= 0) return;
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal);
      return;
    } catch {
      // Gone, or no group of this number: then the process itself.
    }
  }
}

/**
 * @param {number} pid
 * @returns {string | undefined} `undefined` for a process that is gone or waits only to be reaped
 */
function startTime(pid) {
  return process.platform === "linux" ? startTimeFromProc(pid) : startTimeFromPs(pid);
}

/** @param {number} pid */
function startTimeFromProc(pid) {
  const fields = statFields(pid);
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

/**
 * The fields of /proc/<pid>/stat from the third, the state, on; none when there is no such process.
 *
 * @param {number} pid
 */
function statFields(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, second and in brackets, may hold spaces and brackets.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}

/** @param {number} pid */
function startTimeFromPs(pid) {
  const { status, stdout } = spawnSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], {
    encoding: "utf8",
  });
  const [state = "", ...startedAt] = stdout.trim().split(/\s+/);
  return status !== 0 || state.startsWith("Z") ? undefined : startedAt.join(" ");
}
