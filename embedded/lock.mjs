import { linkSync, mkdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { readJson, writePrivate } from "./files.mjs";
import { isRunning, thisProcess } from "./processes.mjs";
import { waitUntil } from "./wait.mjs";

/** @typedef {import("./processes.mjs").ProcessId} ProcessId */

/**
 * Takes a lock file for this process, or names the live process that holds it. A holder that died without
 * letting go is no holder.
 *
 * @param {string} file
 * @returns {{ release: () => void } | { holder: ProcessId }}
 */
export function takeLock(file) {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  for (;;) {
    if (claim(file))
      return {
        release: () => {
          rmSync(file, { force: true });
        },
      };
    const holder = holderOf(file);
    if (holder) return { holder };
    removeStale(file);
  }
}

/**
 * Takes a lock file as soon as nobody holds it; `undefined` when the time is over.
 *
 * @param {string} file
 * @param {{ timeoutMs: number }} limits
 */
export function waitForLock(file, limits) {
  return waitUntil(() => {
    const lock = takeLock(file);
    return "release" in lock ? lock : undefined;
  }, limits);
}

/**
 * The live process that holds a lock, if any.
 *
 * @param {string} file
 * @returns {ProcessId | undefined}
 */
export function holderOf(file) {
  const holder = /** @type {ProcessId | undefined} */ (readJson(file));
  return holder && isRunning(holder) ? holder : undefined;
}

/** A link appears with its whole content or fails, so nobody ever reads half a lock. @param {string} file */
function claim(file) {
  const draft = `${file}.claim-${process.pid}`;
  writePrivate(draft, JSON.stringify(thisProcess()));
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Moves the lock aside before looking again: between the look and the removal another process may have
 * replaced the stale lock by its own, which then has to go back.
 *
 * @param {string} file
 */
function removeStale(file) {
  const aside = `${file}.stale-${process.pid}`;
  try {
    renameSync(file, aside);
    if (holderOf(aside)) linkSync(aside, file);
  } catch {
    // Somebody else was quicker; the next round sees what is there.
  } finally {
    rmSync(aside, { force: true });
  }
}
