import { randomInt } from "node:crypto";
import { connect, createServer } from "node:net";

const host = "127.0.0.1";

/**
 * A port nobody listens on now. It lies below the range from which the kernel takes ports for outgoing
 * connections, so that it stays free while the engine on it is started again.
 *
 * @returns {Promise<number>}
 */
export async function freePort() {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if (await isFree(port, host)) return port;
  }
}

/**
 * @param {number} port
 * @param {string} address
 * @returns {Promise<boolean>}
 */
export function isFree(port, address) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => {
      resolve(false);
    });
    server.listen({ port, host: address, exclusive: true }, () =>
      server.close(() => {
        resolve(true);
      }),
    );
  });
}

/**
 * Whether the server on a loopback port answers `greeting` as hoped, within a second.
 *
 * @param {number} port
 * @param {string} greeting sent on connecting; may be empty
 * @param {(answer: Buffer) => boolean} hoped sees all that has come so far
 * @returns {Promise<boolean>}
 */
export function answers(port, greeting, hoped) {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    let answer = Buffer.alloc(0);
    const settle = (/** @type {boolean} */ result) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(1_000, () => {
      settle(false);
    });
    socket.once("error", () => {
      settle(false);
    });
    socket.once("close", () => {
      settle(false);
    });
    socket.once("connect", () => socket.write(greeting));
    socket.on("data", (data) => {
      answer = Buffer.concat([answer, data]);
      if (hoped(answer)) settle(true);
    });
  });
}
