import { createHash, randomBytes } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { writePrivate } from "./files.mjs";
import { createDataDirectory } from "./mariadb-data.mjs";
import { answers } from "./ports.mjs";

/** @typedef {import("./engine.mjs").Engine} Engine */
/** @typedef {import("./binaries.mjs").DatabaseBinary} DatabaseBinary */

const database = "sluice";
const username = "sluice";

// A Unix socket's path has 108 bytes in the kernel, the last of which is a NUL.
const longestSocketPath = 100;

/**
 * A private MariaDB or MySQL, durable at each commit, with its data in `<directory>/mariadb`.
 *
 * @param {string} directory
 * @param {DatabaseBinary} binary
 * @returns {Engine}
 */
export function databaseEngine(directory, binary) {
  const data = path.join(directory, "mariadb");
  const initFile = path.join(directory, "mariadb.sql");
  const socket = socketPath(directory);
  const password = randomBytes(24).toString("hex");
  return {
    name: "mariadb",
    async prepare() {
      // Left by a server that was killed; MySQL would take the number in the second for that of a live one.
      for (const file of [socket, `${socket}.lock`]) rmSync(file, { force: true });
      if (!existsSync(data)) await createDataDirectory(data, binary);
    },
    program(port) {
      writePrivate(initFile, initStatements(binary.flavour, password));
      return { command: binary.command, args: serverOptions({ data, socket, port, initFile, ...binary }) };
    },
    // The server greets, with the number of its protocol after the packet's head, once it has run the init file.
    ready: (port) => answers(port, "", (greeting) => greeting.length > 4 && greeting[4] === 10),
    addresses: (port) => ({
      DATABASE_HOST: "127.0.0.1",
      DATABASE_PORT: String(port),
      DATABASE_NAME: database,
      DATABASE_USERNAME: username,
      DATABASE_PASSWORD: password,
    }),
  };
}

/**
 * Where the server's Unix socket goes; nobody uses it, but the server insists on one.
 *
 * @param {string} directory
 */
export function socketPath(directory) {
  const inside = path.join(directory, "mariadb.sock");
  if (Buffer.byteLength(inside) <= longestSocketPath) return inside;
  return path.join(
    tmpdir(),
    `sluice-${createHash("sha256").update(directory).digest("hex").slice(0, 16)}.sock`,
  );
}

/**
 * Run at each start of the server, one statement a line.
 *
 * @param {DatabaseBinary["flavour"]} flavour
 * @param {string} password
 */
function initStatements(flavour, password) {
  const user = `'${username}'@'127.0.0.1'`;
  const lines = [
    `CREATE DATABASE IF NOT EXISTS ${database} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;`,
    `CREATE USER IF NOT EXISTS ${user} IDENTIFIED BY '${password}';`,
    `ALTER USER ${user} IDENTIFIED BY '${password}';`,
    `GRANT ALL PRIVILEGES ON *.* TO ${user} WITH GRANT OPTION;`,
  ];
  // MySQL's own root begins without a password; MariaDB's lets in only the owner of the data, by the socket.
  if (flavour === "mysql") lines.push(`ALTER USER 'root'@'localhost' IDENTIFIED BY '${password}';`);
  return `${lines.join("\n")}\n`;
}

/** @param {{ data: string, socket: string, port: number, initFile: string } & DatabaseBinary} options */
function serverOptions({ data, socket, port, initFile, flavour }) {
  return [
    "--no-defaults",
    `--datadir=${data}`,
    `--socket=${socket}`,
    `--pid-file=${data}/server.pid`,
    `--init-file=${initFile}`,
    "--bind-address=127.0.0.1",
    `--port=${port}`,
    ...(process.getuid?.() === 0 ? ["--user=root"] : []),
    "--skip-name-resolve",
    "--skip-log-bin",
    "--performance-schema=OFF",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_unicode_ci",
    "--default-time-zone=+00:00",
    "--max-allowed-packet=64M",
    "--innodb-buffer-pool-size=128M",
    "--innodb-flush-log-at-trx-commit=1",
    ...(flavour === "mysql" ? ["--mysqlx=OFF"] : ["--innodb-log-file-size=48M"]),
  ];
}
