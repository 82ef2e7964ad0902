import { createHash } from "node:crypto";
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { cacheFolder } from "./elasticsearch-home.mjs";
import { unprivilegedUser } from "./nobody.mjs";

/**
 * Makes the folder in which a private Elasticsearch keeps what it writes. That is `<directory>/elasticsearch`, but
 * root's server runs as nobody, who has no way into a session's folder: then it lies in the cache, known by the
 * session's name, and whatever session opens one next removes those whose session is gone.
 *
 * @param {string} directory the session's
 * @param {NodeJS.ProcessEnv} env
 */
export function openPlace(directory, env) {
  const place = placeOf(directory, env);
  if (unprivilegedUser()) {
    mkdirSync(path.dirname(place), { recursive: true, mode: 0o755 });
    removeAbandoned(path.dirname(place));
  }
  mkdirSync(place, { recursive: true, mode: 0o755 });
  if (unprivilegedUser()) writeFileSync(ownerFile(place), directory);
  return place;
}

/**
 * Removes what the Elasticsearch of a session has left, wherever that is.
 *
 * @param {string} directory
 * @param {NodeJS.ProcessEnv} env
 */
export function removePlace(directory, env) {
  rmSync(placeOf(directory, env), { recursive: true, force: true });
}

/**
 * An own folder of the server in its place. As it is root's until the files are in it, nobody can put a link where
 * one is to be written.
 *
 * @param {string} folder
 * @param {Record<string, string>} files
 */
export function giveFolder(folder, files = {}) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(path.join(folder, name), text, { mode: 0o600, flag: "wx" });
    hand(path.join(folder, name));
  }
  hand(folder);
}

/** @param {string} file */
function hand(file) {
  const user = unprivilegedUser();
  if (user) chownSync(file, user.uid, user.gid);
}

/**
 * @param {string} directory
 * @param {NodeJS.ProcessEnv} env
 */
function placeOf(directory, env) {
  if (!unprivilegedUser()) return path.join(directory, "elasticsearch");
  const name = createHash("sha256").update(directory).digest("hex").slice(0, 16);
  return path.join(cacheFolder(env), "data", name);
}

/** @param {string} place */
function ownerFile(place) {
  return path.join(place, "session");
}

/** @param {string} places */
function removeAbandoned(places) {
  for (const place of readdirSync(places).map((name) => path.join(places, name))) {
    // One without a name is just being made.
    const owner = existsSync(ownerFile(place)) ? readFileSync(ownerFile(place), "utf8") : "";
    if (owner !== "" && !existsSync(owner)) rmSync(place, { recursive: true, force: true });
  }
}
