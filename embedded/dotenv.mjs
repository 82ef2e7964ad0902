import { existsSync, readFileSync } from "node:fs";
// The default import: an older Node has no parseEnv, and must still get as far as being told so.
import util from "node:util";

/**
 * The environment with what `file` adds to it. What is set already, even to nothing, stays.
 *
 * @param {string} file
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
export function withDotenv(file, env) {
  return existsSync(file) ? { ...util.parseEnv(readText(file)), ...env } : { ...env };
}

/** Without the byte order mark that some editors begin a file with, and that would belong to the first name. @param {string} file */
function readText(file) {
  return readFileSync(file, "utf8").replace(/^\uFEFF/, "");
}
