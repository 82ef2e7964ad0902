// npm run fetch:spider: MariaDB's Spider engine for npm test, unpacked into a cache outside the clone and not installed.
// With --if-possible it is no failure that it cannot be fetched.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { cacheFolder } from "./elasticsearch-home.mjs";
import { Refusal, reportFailure, say } from "./refusal.mjs";
import { serverVersion, spiderHome } from "./spider-home.mjs";

const debianPackage = "mariadb-plugin-spider";

/** @param {NodeJS.ProcessEnv} env */
function fetchSpider(env) {
  const version = serverVersion(env);
  if (version === undefined) throw new Refusal("Spider is a plugin of MariaDB, and there is none here.");
  const home = spiderHome(version, env);
  if (!existsSync(home)) unpackInto(home, version, env);
  say(`Spider for MariaDB ${version} is in ${home}`);
}

/**
 * Whole or not at all: what is unpacked gets its name when it is complete.
 *
 * @param {string} home
 * @param {string} version
 * @param {NodeJS.ProcessEnv} env
 */
function unpackInto(home, version, env) {
  const draft = mkdtempSync(path.join(tmpdir(), "sluice-spider-"));
  try {
    const file = download(draft);
    const found = run("dpkg-deb", ["--field", file, "Version"], draft).trim();
    if (!found.includes(version))
      throw new Refusal(
        `${debianPackage} is ${found} here, and the server is ${version}: they must be alike.`,
      );
    run("dpkg-deb", ["--extract", file, "files"], draft);
    mkdirSync(cacheFolder(env), { recursive: true, mode: 0o755 });
    const unpacked = mkdtempSync(path.join(cacheFolder(env), "unpacking-spider-"));
    run("cp", ["files/usr/lib/mysql/plugin/ha_spider.so", unpacked], draft);
    rename(unpacked, home);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Another process may have been faster, with the same. @param {string} unpacked @param {string} home */
function rename(unpacked, home) {
  try {
    renameSync(unpacked, home);
  } catch (error) {
    rmSync(unpacked, { recursive: true, force: true });
    if (!existsSync(home)) throw error;
  }
}

/** @param {string} folder @returns {string} the package's file */
function download(folder) {
  const attempt = () =>
    spawnSync("apt-get", ["download", "-q", debianPackage], { cwd: folder, encoding: "utf8" });
  if (attempt().status !== 0) {
    // A machine that was just set up has no lists yet.
    spawnSync("apt-get", ["update", "-q"]);
    const { status, stderr, error } = attempt();
    if (status !== 0)
      throw new Refusal(`apt-get could not download ${debianPackage}: ${(error?.message ?? stderr).trim()}`);
  }
  const file = readdirSync(folder).find((name) => name.endsWith(".deb"));
  if (file === undefined) throw new Refusal(`apt-get has downloaded no ${debianPackage}.`);
  return file;
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 */
function run(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Refusal(`${command} ${args.join(" ")}: ${(error?.message ?? stderr).trim()}`);
  return stdout;
}

process.umask(0o022);
const ifPossible = process.argv.includes("--if-possible");
try {
  fetchSpider(process.env);
} catch (error) {
  if (ifPossible && error instanceof Refusal) say(`not fetched: ${error.message.split("\n", 1).join("")}`);
  else reportFailure(error);
}
