import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { findBinaries, thisMachine } from "./binaries.mjs";
import { cacheFolder } from "./elasticsearch-home.mjs";

/**
 * The version of the MariaDB server on this machine, for which alone a plugin of the same version is fit.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | undefined}
 */
export function serverVersion(env) {
  const { database } = findBinaries({ redis: false, database: true }, thisMachine(env));
  if (database?.flavour !== "mariadb") return undefined;
  const { stdout } = spawnSync(database.command, ["--version"], { encoding: "utf8", timeout: 10_000 });
  return /\bVer (\d+\.\d+\.\d+)/.exec(stdout)?.[1];
}

/**
 * Where the plugin for a server of this version lies once it was fetched.
 *
 * @param {string} version
 * @param {NodeJS.ProcessEnv} env
 */
export function spiderHome(version, env) {
  return path.join(cacheFolder(env), `spider-${version}`);
}

/**
 * The folder with the Spider plugin for this machine's MariaDB, or why there is none.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {{ plugins: string } | { lack: string }}
 */
export function findSpider(env) {
  const version = serverVersion(env);
  if (version === undefined) return { lack: "there is no MariaDB on this machine" };
  const plugins = spiderHome(version, env);
  return existsSync(plugins) ? { plugins } : { lack: `Spider for MariaDB ${version} has not been fetched` };
}
