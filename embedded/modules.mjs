import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { readJson, writePrivate } from "./files.mjs";
import { waitForLock } from "./lock.mjs";
import { root, workDirectory } from "./project.mjs";
import { Refusal, say } from "./refusal.mjs";

/** @typedef {{ packages?: Record<string, { version?: string, resolved?: string, optional?: boolean }> }} Lock */

const waitForOtherMs = 600_000;

/** Makes node_modules what package-lock.json says, if it is not. Two launchers at once take turns. */
export async function ensureModules() {
  if (modulesAreCurrent(root)) return;
  const lockFile = path.join(workDirectory, "install.lock");
  const lock = await waitForLock(lockFile, { timeoutMs: waitForOtherMs });
  if (!lock)
    throw new Refusal(`another process has been installing node modules for too long: see ${lockFile}`);
  try {
    // Whoever held the lock may have done it.
    if (modulesAreCurrent(root)) return;
    say("installing node modules (npm ci)");
    const { status, error } = npm(["ci", "--include=dev", "--no-audit", "--no-fund"]);
    if (status !== 0) throw new Refusal(`npm ci has failed${error ? `: ${error.message}` : ", see above"}`);
    remember(root);
  } finally {
    lock.release();
  }
}

/**
 * Whether the modules in `directory` are those of its package-lock.json. What npm was told to do by hand is
 * recognised by npm's own record.
 *
 * @param {string} directory
 */
export function modulesAreCurrent(directory) {
  const record = path.join(directory, "node_modules", ".package-lock.json");
  if (!existsSync(record)) return false;
  const marker = markerFile(directory);
  if (existsSync(marker) && readFileSync(marker, "utf8") === lockHash(directory)) return true;
  const wanted = /** @type {Lock} */ (readJson(path.join(directory, "package-lock.json")));
  if (!matches(wanted.packages ?? {}, /** @type {Lock} */ (readJson(record))?.packages ?? {})) return false;
  remember(directory);
  return true;
}

/**
 * @param {NonNullable<Lock["packages"]>} wanted
 * @param {NonNullable<Lock["packages"]>} installed
 */
function matches(wanted, installed) {
  const same = (/** @type {string} */ name) =>
    wanted[name]?.version === installed[name]?.version &&
    wanted[name]?.resolved === installed[name]?.resolved;
  // The project itself is no module, and an optional module may be one for other machines.
  const needed = Object.keys(wanted).filter((name) => name !== "" && wanted[name]?.optional !== true);
  return needed.every((name) => installed[name] && same(name)) && Object.keys(installed).every(same);
}

/** @param {string} directory */
function remember(directory) {
  writePrivate(markerFile(directory), lockHash(directory));
}

/** @param {string} directory */
function markerFile(directory) {
  return path.join(directory, "node_modules", ".sluice-lock");
}

/** @param {string} directory */
function lockHash(directory) {
  return createHash("sha256")
    .update(readFileSync(path.join(directory, "package-lock.json")))
    .digest("hex");
}

/** Runs the npm that has started this process, else the one on the PATH. @param {string[]} args */
function npm(args) {
  const script = process.env["npm_execpath"] ?? "";
  const options = /** @type {const} */ ({ cwd: root, stdio: "inherit" });
  return path.basename(script) === "npm-cli.js"
    ? spawnSync(process.execPath, [script, ...args], options)
    : spawnSync("npm", args, options);
}
