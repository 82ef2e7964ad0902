import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { userInfo } from "node:os";
import path from "node:path";
import { Refusal } from "./refusal.mjs";

/** @typedef {import("./binaries.mjs").DatabaseBinary} DatabaseBinary */

/**
 * Makes the data folder of a new server. It gets its name when it is complete, so a run that is killed in
 * between leaves nothing a server would trip over.
 *
 * @param {string} data
 * @param {DatabaseBinary} binary
 */
export async function createDataDirectory(data, { command, flavour }) {
  const draft = `${data}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true, mode: 0o700 });
  const options = ["--no-defaults", `--datadir=${draft}`];
  if (process.getuid?.() === 0) options.push("--user=root");
  if (flavour === "mysql") await run(command, [...options, "--initialize-insecure"], "");
  else await run(command, [...options, ...bootstrapOptions], await systemTables(command));
  renameSync(draft, data);
}

const bootstrapOptions = [
  "--bootstrap",
  "--lc-messages=en_US",
  "--enforce-storage-engine=",
  "--innodb-log-file-size=48M",
  "--innodb-buffer-pool-size=32M",
  "--max-allowed-packet=8M",
];

/**
 * The statements that mariadb-install-db would feed to the server. That script is not used because it needs
 * my_print_defaults, which Debian keeps in a package of clients.
 *
 * @param {string} command
 */
async function systemTables(command) {
  const share = await shareDirectory(command);
  // A line each: the bootstrap reads a statement until a line ends with a semicolon.
  const head = [
    "CREATE DATABASE IF NOT EXISTS mysql;",
    "USE mysql;",
    // root comes in by the Unix socket, as the owner of the data, and in no other way.
    `SET @auth_root_socket = '${userInfo().username}';`,
  ];
  const scripts = ["system_tables", "performance_tables", "system_tables_data"].map((name) =>
    readFileSync(scriptPath(share, name), "utf8"),
  );
  return [...head, ...scripts].join("\n");
}

/**
 * Newer releases have renamed the scripts.
 *
 * @param {string} share
 * @param {string} name
 */
function scriptPath(share, name) {
  const paths = ["mariadb", "mysql"].map((prefix) => path.join(share, `${prefix}_${name}.sql`));
  const found = paths.find((file) => existsSync(file));
  if (found === undefined)
    throw new Refusal(`MariaDB's installation is incomplete: ${paths.join(" or ")} is missing.`);
  return found;
}

/**
 * The folder of the server's own files, which lies above that of its character sets.
 *
 * @param {string} command
 */
async function shareDirectory(command) {
  const help = await run(command, ["--no-defaults", "--verbose", "--help"], "");
  const charsets = /^character-sets-dir\s+(\S.*?)\/?$/m.exec(help)?.[1];
  if (charsets === undefined) throw new Refusal(`${command} does not say where its files are.`);
  return path.dirname(charsets);
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} input
 * @returns {Promise<string>} what it printed
 */
function run(command, args, input) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: "pipe" });
    let output = "";
    let complaints = "";
    child.stdout.on("data", (data) => (output += String(data)));
    child.stderr.on("data", (data) => (complaints += String(data)));
    // A program that ends early closes its input; why it ended is in what it printed.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(output);
      else
        reject(new Refusal(`${command} could not make its data folder:\n${complaints.trim().slice(-4_000)}`));
    });
  });
}
