import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import type { AddressInfo, NetConnectOpts, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { eventually } from "./shell.ts";

/** A Redis and the way to it, which can be cut or made to hang. */
export interface TestRedis {
  connect(): Promise<Redis>;
  /** Connections stay open, but nothing comes through until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** Ends every connection and takes no new one. */
  cut(): void;
  stop(): Promise<void>;
}

interface Engine {
  readonly address: { readonly path: string } | { readonly host: string; readonly port: number };
  readonly credentials: { username?: string; password?: string };
  stop(): Promise<void>;
}

/** Gives a way to `REDIS_URL` where that is one server, or else to a Redis of this test's own, under a key prefix no one else has. */
export async function startRedis(): Promise<TestRedis> {
  const url = process.env["REDIS_URL"] ?? "";
  const engine = URL.canParse(url) && !url.includes(",") ? engineAt(new URL(url)) : await startEngine();
  const way = await openWay(engine.address);
  const keyPrefix = `${randomUUID()}:`;
  const clients: Redis[] = [];
  return {
    ...way,
    async connect() {
      const options = {
        ...engine.credentials,
        keyPrefix,
        enableOfflineQueue: false,
        retryStrategy: () => 20,
      };
      const client = new Redis({ host: "127.0.0.1", port: way.port, ...options });
      client.on("error", () => undefined);
      clients.push(client);
      await once(client, "ready");
      return client;
    },
    async stop() {
      for (const client of clients) client.disconnect();
      way.cut();
      await removeKeys(engine, keyPrefix);
      await engine.stop();
    },
  };
}

/** Past the way, which may be cut. */
async function removeKeys({ address, credentials }: Engine, prefix: string): Promise<void> {
  const client = new Redis({ ...address, ...credentials });
  const keys = await client.keys(`${prefix}*`);
  if (keys.length > 0) await client.del(keys);
  client.disconnect();
}

function engineAt({ protocol, hostname, port, pathname, username, password }: URL): Engine {
  const isSocket = protocol === "unix:";
  return {
    address: isSocket ? { path: pathname } : { host: hostname, port: Number(port || 6379) },
    credentials: { ...(username && { username }), ...(password && { password }) },
    stop: () => Promise.resolve(),
  };
}

/** Debian's package of Redis tools holds the server too, under the name of a tool; it goes by argv[0]. */
const command = "redis-check-rdb";

async function startEngine(): Promise<Engine> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-rate-"));
  const path = join(folder, "redis.sock");
  const options = ["--port", "0", "--unixsocket", path, "--dir", folder, "--save", ""];
  const child = spawn(command, options, {
    argv0: "redis-server",
    stdio: ["ignore", "pipe", "ignore"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await eventually(() => /ready to accept connections/i.test(output) || child.exitCode !== null);
  return {
    address: { path },
    credentials: {},
    async stop() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function openWay(target: NetConnectOpts) {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("data", (chunk: Buffer) => to.write(chunk));
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    freeze() {
      for (const socket of sockets) socket.pause();
    },
    thaw() {
      for (const socket of sockets) socket.resume();
    },
    cut() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
