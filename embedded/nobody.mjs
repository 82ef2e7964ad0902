import { statSync } from "node:fs";
import path from "node:path";

/** @typedef {{ uid: number, gid: number }} User */

/** What Linux calls nobody, whatever the name stands for on a machine. */
const nobody = { uid: 65_534, gid: 65_534 };

/**
 * Whom a server runs as that refuses to run as root; `undefined` where this process is not root, and the server can
 * be of its own user.
 *
 * @returns {User | undefined}
 */
export function unprivilegedUser() {
  return process.getuid?.() === 0 ? nobody : undefined;
}

/**
 * Whether such a server can get at a folder: as nobody it needs a way in through each folder above.
 *
 * @param {string} folder absolute
 */
export function isReachable(folder) {
  if (!unprivilegedUser()) return true;
  const isOpen = (/** @type {string} */ part) =>
    ((statSync(part, { throwIfNoEntry: false })?.mode ?? 0o755) & 0o001) !== 0;
  for (let part = path.resolve(folder); ; part = path.dirname(part)) {
    if (!isOpen(part)) return false;
    if (part === path.dirname(part)) return true;
  }
}
