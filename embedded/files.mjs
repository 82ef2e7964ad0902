import { readFileSync, renameSync, writeFileSync } from "node:fs";

/**
 * Writes a file that only this user may read, whole or not at all.
 *
 * @param {string} file
 * @param {string} text
 */
export function writePrivate(file, text) {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, file);
}

/**
 * What a JSON file says; `undefined` when it is absent or was cut short.
 *
 * @param {string} file
 * @returns {any}
 */
export function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * The last lines of a log, for an error that has to show why a program died.
 *
 * @param {string} file
 * @param {number} lines
 */
export function tail(file, lines = 15) {
  try {
    return readFileSync(file, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "";
  }
}
