import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { writePrivate } from "./files.mjs";
import { answers } from "./ports.mjs";

/** @typedef {import("./engine.mjs").Engine} Engine */

/**
 * A private Redis that keeps all it is told, with its data in `<directory>/redis`.
 *
 * @param {string} directory
 * @param {import("./binaries.mjs").RedisBinary} binary
 * @returns {Engine}
 */
export function redisEngine(directory, { command, argv0 }) {
  const data = path.join(directory, "redis");
  // In a file, not among the arguments: those can be read by every user of the machine.
  const configFile = path.join(directory, "redis.conf");
  const password = randomBytes(24).toString("hex");
  return {
    name: "redis",
    prepare() {
      mkdirSync(data, { recursive: true, mode: 0o700 });
      return Promise.resolve();
    },
    program(port) {
      writePrivate(configFile, configuration({ port, data, password }));
      return { command, argv0, args: [configFile] };
    },
    // While Redis reads its data back it answers PING with -LOADING.
    ready: (port) =>
      answers(port, `AUTH ${password}\r\nPING\r\n`, (answer) => answer.toString("latin1").includes("+PONG")),
    addresses: (port) => ({ REDIS_URL: `redis://:${password}@127.0.0.1:${port}` }),
  };
}

/** @param {{ port: number, data: string, password: string }} options */
function configuration({ port, data, password }) {
  return `bind 127.0.0.1
port ${port}
requirepass ${password}
dir ${JSON.stringify(data)}
daemonize no
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
save ""
`;
}
