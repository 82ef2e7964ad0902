import { rmSync } from "node:fs";
import path from "node:path";
import { readJson, writePrivate } from "./files.mjs";
import { holderOf } from "./lock.mjs";

/**
 * What a launcher tells others about itself, in a file only its own user may read: there are passwords in it.
 *
 * @typedef {object} State
 * @property {string} [address] where the API answers
 * @property {Record<string, string>} addresses the engines', as environment variables
 */

/** @param {string} directory */
export function lockFile(directory) {
  return path.join(directory, "lock");
}

/** @param {string} directory */
function stateFile(directory) {
  return path.join(directory, "engines.json");
}

/**
 * @param {string} directory
 * @param {State} state
 */
export function writeState(directory, state) {
  writePrivate(stateFile(directory), `${JSON.stringify({ pid: process.pid, ...state }, undefined, 2)}\n`);
}

/** @param {string} directory */
export function removeState(directory) {
  rmSync(stateFile(directory), { force: true });
}

/**
 * What the launcher that is running in this folder has told; `undefined` when none is.
 *
 * @param {string} directory
 * @returns {State & { pid: number } | undefined}
 */
export function readRunningState(directory) {
  const holder = holderOf(lockFile(directory));
  const state = readJson(stateFile(directory));
  // A state of another process was left by one that was killed.
  return holder && state?.pid === holder.pid ? state : undefined;
}
