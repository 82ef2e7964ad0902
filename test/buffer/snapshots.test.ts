import { once } from "node:events";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect } from "chai";
import { Redis } from "ioredis";

import { type Buffer as SluiceBuffer, openBuffer } from "../../src/buffer/buffer.ts";
import { readSnapshot } from "../../src/buffer/rdb/replica-stream.ts";
import { digestOf, SnapshotFile } from "../../src/buffer/rdb/snapshot-file.ts";
import { roomyLimits } from "../support/buffers.ts";
import { PrivateEngine } from "../support/private-engines.ts";

const namespace = "mine";
const never = new AbortController().signal;

/** Fills a Redis with what this installation never writes, as another that shares it might. */
async function fillForeign(redis: Redis): Promise<void> {
  await redis.set("theirs:text", "x".repeat(5000));
  await redis.set("theirs:number", 123_456);
  await redis.set("theirs:expiring", "soon", "EX", 1000);
  await redis.sadd("theirs:numbers", 1, 2, 70_000, 5_000_000_000);
  await redis.sadd("theirs:words", ...Array.from({ length: 600 }, (_, at) => `word ${at}`));
  await redis.zadd("theirs:few", 1.5, "one", 2, "two");
  await redis.zadd("theirs:many", ...Array.from({ length: 600 }, (_, at) => [at / 3, `member ${at}`]).flat());
  for (let at = 0; at < 300; at += 1) await redis.xadd("theirs:stream", "*", "field", `value ${at}`);
  await redis.xgroup("CREATE", "theirs:stream", "group", "0");
  await redis.xreadgroup("GROUP", "group", "reader", "COUNT", 20, "STREAMS", "theirs:stream", ">");
  await redis.call(
    "FUNCTION",
    "LOAD",
    "REPLACE",
    "#!lua name=lib\nredis.register_function('f', function() return 1 end)",
  );
}

/** Fills a Redis with what looks like an installation's: each kind of key, small and large. */
async function fillOwn(redis: Redis, name: string): Promise<void> {
  const key = (rest: string) => `${name}:{0}:${rest}`;
  await redis.hset(key("meta"), { epoch: "first", sequence: 7, "accepted:messages": 5000 });
  const pending = Object.fromEntries(
    Array.from({ length: 5000 }, (_, at) => [`${at}`, `1|op|||=${"text ".repeat(at % 50)}é${at}`]),
  );
  await redis.hset(key("pending:token:1"), pending);
  await redis.hset(key("pending:token:2"), { 1: "12345", 2: "-7", 3: "70000", 4: "1".repeat(300) });
  await redis.rpush(key("messages"), ...Array.from({ length: 5000 }, (_, at) => `token:1:${at}`));
  await redis.zadd(key("dead-letters"), 1_700_000_000_000, "token:1:3:d");
  await redis.set(key("idempotency:token:abc"), "digest", "EX", 1000);
  await redis.set(key("lease"), "1:somebody");
  await redis.set(`${name}:rate:127.0.0.1`, 3);
}

async function dumpOf(redis: Redis, pattern: string): Promise<Map<string, string>> {
  const keys = (await redis.keys(pattern)).sort();
  const dumps = await Promise.all(
    keys.map(async (key) => {
      const type = await redis.type(key);
      // A hash is compared by its fields: Redis keeps them in no order.
      if (type === "hash") return JSON.stringify(Object.entries(await redis.hgetall(key)).sort());
      return (await redis.dumpBuffer(key)).toString("hex");
    }),
  );
  return new Map(keys.map((key, at) => [key, dumps[at] ?? ""]));
}

async function drain(chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of chunks) expect(chunk.length).to.be.above(0);
}

describe("A snapshot of Redis", function () {
  this.timeout(60_000);

  let engine: PrivateEngine;
  let redis: Redis;
  let buffer: SluiceBuffer;
  let directory: string;
  let file: string;

  const open = (url: string, partitions = 1) =>
    openBuffer({ url, namespace, partitions, limits: roomyLimits }, "draining");

  before(async () => {
    directory = mkdtempSync(path.join(tmpdir(), "sluice-snapshots-"));
    file = path.join(directory, "taken.rdb");
    const socket = path.join(directory, "redis.sock");
    engine = await PrivateEngine.start("redis", ["--repl-diskless-sync-delay", "0", "--unixsocket", socket]);
    redis = new Redis(engine.env["REDIS_URL"] ?? "");
    buffer = await open(engine.env["REDIS_URL"] ?? "");
    await fillForeign(redis);
    await fillOwn(redis, namespace);
  });

  after(async () => {
    buffer.close();
    redis.disconnect();
    await engine.close();
    rmSync(directory, { recursive: true });
  });

  async function takeTo(target: string, from = buffer): Promise<void> {
    const chunks: Buffer[] = [];
    for (const part of from.snapshots.take(never)) {
      for await (const chunk of part) chunks.push(Buffer.from(chunk));
    }
    await writeFile(target, Buffer.concat(chunks));
  }

  async function inspect(target: string, from = buffer) {
    const snapshot = new SnapshotFile(target);
    try {
      await digestOf(target, snapshot.bytes);
      return await from.snapshots.inspect(snapshot);
    } finally {
      snapshot.close();
    }
  }

  async function load(target: string): Promise<void> {
    const snapshot = new SnapshotFile(target);
    try {
      await buffer.snapshots.load([snapshot], () => undefined);
    } finally {
      snapshot.close();
    }
  }

  for (const form of ["yes", "no"]) {
    it(`is taken over the wire and sound where diskless replication is set to ${form}`, async () => {
      await redis.config("SET", "repl-diskless-sync", form);
      await takeTo(file);
      expect(await inspect(file)).to.deep.equal({ ownKeys: 7, otherKeys: 9 });
    });
  }

  it("is taken through a Unix socket, and by a user of its own", async () => {
    await redis.call("ACL", "SETUSER", "saver", "on", ">a:b c", "~*", "+@all");
    await redis.call("ACL", "SETUSER", "default", "nopass");
    const named = new URL(engine.env["REDIS_URL"] ?? "");
    [named.username, named.password] = ["saver", "a:b c"];
    for (const url of [named.href, `unix://${path.join(directory, "redis.sock")}`]) {
      const other = await open(url);
      try {
        await takeTo(file, other);
        expect((await inspect(file)).ownKeys).to.equal(7);
      } finally {
        other.close();
      }
    }
  });

  it("puts back what is this installation's and leaves all else as it is", async () => {
    await takeTo(file);
    const own = await dumpOf(redis, `${namespace}:*`);
    const foreign = await dumpOf(redis, "theirs:*");
    await redis.hset(`${namespace}:{0}:pending:token:1`, "6000", "accepted later");
    await redis.set(`${namespace}:{0}:counter:other`, "made later");
    await redis.del(`${namespace}:{0}:messages`, `${namespace}:{0}:dead-letters`);
    await load(file);
    expect(await dumpOf(redis, `${namespace}:*`)).to.deep.equal(own);
    expect(await dumpOf(redis, "theirs:*")).to.deep.equal(foreign);
    expect(await redis.ttl(`${namespace}:{0}:idempotency:token:abc`)).to.be.within(900, 1000);
  });

  it("is put back into an empty Redis", async () => {
    await takeTo(file);
    const own = await dumpOf(redis, `${namespace}:{*`);
    own.delete(`${namespace}:{0}:lease`);
    await redis.flushall();
    await load(file);
    expect(await dumpOf(redis, "*")).to.deep.equal(own);
    await fillForeign(redis);
  });

  it("that is cut off anywhere, or changed in a byte, is known to be damaged", async () => {
    await takeTo(file);
    const whole = await readFile(file);
    const damaged = path.join(directory, "damaged.rdb");
    for (let share = 0.05; share < 1; share += 0.1) {
      writeFileSync(damaged, whole);
      truncateSync(damaged, Math.floor(whole.length * share));
      expect(await inspect(damaged).catch((error: unknown) => (error as Error).name)).to.equal(
        "SnapshotError",
      );
      const changed = Buffer.from(whole);
      const at = Math.floor(whole.length * share);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      writeFileSync(damaged, changed);
      expect(await inspect(damaged).catch((error: unknown) => (error as Error).name)).to.equal(
        "SnapshotError",
      );
    }
  });

  it("of another number of partitions is refused", async () => {
    await redis.set(`${namespace}:{1}:counter:token`, "elsewhere");
    await takeTo(file);
    await redis.del(`${namespace}:{1}:counter:token`);
    const refusal = await inspect(file).catch((error: unknown) => (error as Error).message);
    expect(refusal).to.equal("the snapshot was made under another number of PARTITIONS");
  });

  describe("is refused with a reason where", () => {
    const reasonOf = (url: string) =>
      open(url).then(async (from) => {
        try {
          await takeTo(file, from);
          return "none";
        } catch (error) {
          return (error as Error).message;
        } finally {
          from.close();
        }
      });

    it("the user may not", async () => {
      await redis.call("ACL", "SETUSER", "weak", "on", ">pw", "~*", "+@all", "-sync");
      const url = new URL(engine.env["REDIS_URL"] ?? "");
      url.username = "weak";
      url.password = "pw";
      expect(await reasonOf(url.href)).to.match(/^Redis gave no snapshot: NOPERM/);
    });

    it("nobody listens", async () => {
      expect(await reasonOf("redis://127.0.0.1:1")).to.match(/ECONNREFUSED/);
    });

    it("it breaks off in the middle, in either form", async () => {
      for (const head of [`$EOF:${"m".repeat(40)}`, "$5000"]) {
        const server: Server = createServer((socket) => {
          socket.on("error", () => undefined);
          socket.on("data", (data: Buffer) => {
            if (data.includes("SYNC")) socket.end(`\n\n${head}\r\nREDIS0011`);
            else socket.write("+OK\r\n");
          });
        });
        server.listen(0, "127.0.0.1");
        await once(server, "listening");
        const { port } = server.address() as AddressInfo;
        const failure = await drain(readSnapshot({ port }, never)).catch((error: unknown) => error);
        expect(String(failure)).to.match(/closed the connection/);
        server.close();
      }
    });
  });
});
