import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { installPackages } from "./packages.mjs";
import { Refusal } from "./refusal.mjs";

/** @typedef {{ command: string, argv0: string }} RedisBinary */
/** @typedef {{ command: string, flavour: "mariadb" | "mysql" }} DatabaseBinary */
/** @typedef {{ redis?: RedisBinary | undefined, database?: DatabaseBinary | undefined }} Binaries */
/** @typedef {{ redis: boolean, database: boolean }} Wanted */

/**
 * Where programs are looked for, and what may be done when they are missing.
 *
 * @typedef {object} Machine
 * @property {string[]} directories
 * @property {boolean} canInstall root on a Debian or Ubuntu
 * @property {(packages: string[], log: (line: string) => void) => void} install
 */

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Machine}
 */
export function thisMachine(env) {
  const onPath = (env["PATH"] ?? "").split(path.delimiter).filter((directory) => directory !== "");
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  return {
    // Servers often lie where only root's PATH leads.
    directories: [...new Set([...onPath, "/usr/sbin", "/usr/local/sbin", "/usr/libexec"])],
    canInstall: process.getuid?.() === 0 && /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release),
    install: installPackages,
  };
}

/**
 * The programs of the wanted engines. What is missing is installed where that can be done; otherwise a
 * `Refusal` says what to do.
 *
 * @param {Wanted} wanted
 * @param {Machine} machine
 * @param {(line: string) => void} log
 * @returns {Binaries}
 */
export function provideBinaries(wanted, machine, log) {
  const found = findBinaries(wanted, machine);
  if (missing(wanted, found).length === 0) return found;
  if (!machine.canInstall) throw explain(missing(wanted, found));
  machine.install(missing(wanted, found), log);
  const installed = findBinaries(wanted, machine);
  if (missing(wanted, installed).length > 0) throw explain(missing(wanted, installed));
  return installed;
}

/**
 * @param {Wanted} wanted
 * @param {Pick<Machine, "directories">} machine
 * @returns {Binaries}
 */
export function findBinaries(wanted, { directories }) {
  return {
    redis: wanted.redis ? findRedis(directories) : undefined,
    database: wanted.database ? findDatabase(directories) : undefined,
  };
}

/**
 * @param {string[]} directories
 * @returns {RedisBinary | undefined}
 */
function findRedis(directories) {
  // Debian's redis-tools lacks the name redis-server, but its checkers are the same program: which of them it
  // is, it decides by the name it is called.
  const argv0 = "redis-server";
  return executables(directories, ["redis-server", "valkey-server", "redis-check-rdb", "redis-check-aof"])
    .map((command) => ({ command, argv0 }))
    .find(({ command }) => /^(Redis|Valkey) server/.test(version(command, argv0)));
}

/**
 * @param {string[]} directories
 * @returns {DatabaseBinary | undefined}
 */
function findDatabase(directories) {
  for (const command of executables(directories, ["mariadbd", "mysqld"])) {
    const text = version(command, command);
    if (text !== "") return { command, flavour: /mariadb/i.test(text) ? "mariadb" : "mysql" };
  }
  return undefined;
}

/**
 * @param {string} command
 * @param {string} argv0
 */
function version(command, argv0) {
  return spawnSync(command, ["--version"], { argv0, encoding: "utf8", timeout: 10_000 }).stdout;
}

/**
 * The programs of these names that there are, in the order of the folders, as a shell looks for them.
 *
 * @param {string[]} directories
 * @param {string[]} names in order of preference within a folder
 */
export function executables(directories, names) {
  return directories
    .flatMap((directory) => names.map((name) => path.join(directory, name)))
    .filter(isExecutable);
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * The Debian packages that hold what was not found.
 *
 * @param {Wanted} wanted
 * @param {Binaries} found
 */
function missing(wanted, found) {
  return [
    ...(wanted.redis && !found.redis ? ["redis-tools"] : []),
    ...(wanted.database && !found.database ? ["mariadb-server-core"] : []),
  ];
}

/** @param {string[]} packages */
function explain(packages) {
  const lines = packages.map((name) =>
    name === "redis-tools"
      ? "There is no redis-server on this machine, and REDIS_URL names no other."
      : "There is no MariaDB or MySQL server on this machine, and DATABASE_HOST names no other.",
  );
  return new Refusal(
    [
      ...lines,
      `  Install what is missing (Debian and Ubuntu: apt-get install --no-install-recommends ${packages.join(" ")}),`,
      "  or run everything in containers: docker compose up",
    ].join("\n"),
  );
}
