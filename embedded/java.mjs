import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { isReachable } from "./nobody.mjs";

/** @typedef {{ home: string, version: number }} Java */

/** Where distributions of Linux keep each Java they have. */
const systemJavas = "/usr/lib/jvm";

/**
 * A Java of at least this version that a private engine can run: the one the environment names, else one of the
 * `PATH`, else one the system has besides.
 *
 * @param {number} oldest
 * @param {NodeJS.ProcessEnv} env
 * @param {string} [system]
 * @returns {Java | undefined}
 */
export function findJava(oldest, env, system = systemJavas) {
  for (const command of new Set(candidates(env, system))) {
    const java = existsSync(command) ? ask(command) : undefined;
    if (java && java.version >= oldest && isReachable(java.home)) return java;
  }
  return undefined;
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string} system
 */
function candidates(env, system) {
  // JAVA_HOME, and such as JAVA_HOME_21_X64, which build servers have beside it.
  const named = Object.keys(env).filter((name) => /^(ES_)?JAVA_HOME|^JDK_HOME$/.test(name));
  const homes = named.sort().flatMap((name) => env[name] ?? []);
  const onPath = (env["PATH"] ?? "").split(path.delimiter);
  const installed = existsSync(system) ? readdirSync(system).map((name) => path.join(system, name)) : [];
  const inHome = (/** @type {string} */ home) => path.join(home, "bin", "java");
  const all = [
    ...homes.map(inHome),
    ...onPath.map((folder) => path.join(folder, "java")),
    ...installed.map(inHome),
  ];
  return all.filter((command) => path.isAbsolute(command));
}

/**
 * @param {string} command
 * @returns {Java | undefined} nothing where it is no Java
 */
function ask(command) {
  const options = /** @type {const} */ ({ encoding: "utf8", timeout: 30_000 });
  const { stdout, stderr } = spawnSync(command, ["-XshowSettings:properties", "-version"], options);
  const text = `${stdout}${stderr}`;
  const home = /^\s*java\.home = (.+)$/m.exec(text)?.[1];
  // Up to Java 8 it is "1.8".
  const version = /^\s*java\.specification\.version = (\d+)/m.exec(text)?.[1];
  return home === undefined || version === undefined ? undefined : { home, version: Number(version) };
}
