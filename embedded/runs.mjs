import { mkdirSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { removePlace } from "./elasticsearch-place.mjs";
import { endLeftovers } from "./guarded.mjs";
import { findProcess } from "./processes.mjs";
import { workDirectory } from "./project.mjs";
import { say } from "./refusal.mjs";

/**
 * The folder of this process's run of something.
 *
 * @param {string} prefix what is run, and a hyphen
 */
export function runDirectory(prefix) {
  return path.join(workDirectory, `${prefix}${process.pid}`);
}

/**
 * A failed run's folder is kept to be looked at until the next run; a killed run could not remove its own.
 *
 * @param {string} prefix
 */
export async function removeDeadRuns(prefix) {
  mkdirSync(workDirectory, { recursive: true });
  for (const name of readdirSync(workDirectory).filter((entry) => entry.startsWith(prefix))) {
    if (findProcess(Number(name.slice(prefix.length)))) continue;
    const dead = path.join(workDirectory, name);
    await endLeftovers(dead, say);
    removeRun(dead);
  }
}

/** @param {string} run */
export function removeRun(run) {
  removePlace(run, process.env);
  rmSync(run, { recursive: true, force: true });
}
