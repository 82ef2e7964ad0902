import { readdirSync } from "node:fs";
import path from "node:path";

import { expect } from "chai";
import { Redis } from "ioredis";

import { type Buffer as SluiceBuffer, openBuffer } from "../../src/buffer/buffer.ts";
import { digestOf, SnapshotFile } from "../../src/buffer/rdb/snapshot-file.ts";
import { roomyLimits } from "../support/buffers.ts";
import { PrivateEngine } from "../support/private-engines.ts";

const namespace = "mine";
const upTo = (count: number) => Array.from({ length: count }, (_, nth) => nth + 1);

/**
 * Snapshots as other servers sent them: Valkey 9.1.2, Redis 8.0.6. Beside this installation's keys they hold a stream
 * with a group, sets, and hashes whose fields expire, which each of the two writes in its own way.
 */
const directory = path.join(import.meta.dirname, "snapshots");

describe("A snapshot of another server", () => {
  let engine: PrivateEngine;
  let redis: Redis;
  let buffer: SluiceBuffer;

  const open = (url: string) =>
    openBuffer({ url, namespace, partitions: 1, limits: roomyLimits }, "draining");

  before(async () => {
    engine = await PrivateEngine.start("redis");
    redis = new Redis(engine.env["REDIS_URL"] ?? "");
    buffer = await open(engine.env["REDIS_URL"] ?? "");
  });

  beforeEach(async () => {
    await redis.flushall();
  });

  after(async () => {
    buffer.close();
    redis.disconnect();
    await engine.close();
  });

  async function load(name: string, into = buffer): Promise<void> {
    const snapshot = new SnapshotFile(path.join(directory, name));
    try {
      await into.snapshots.load([snapshot], () => undefined);
    } finally {
      snapshot.close();
    }
  }

  for (const name of readdirSync(directory)) {
    it(`is read whole, and what is this installation's is put back: ${name}`, async () => {
      const snapshot = new SnapshotFile(path.join(directory, name));
      await digestOf(path.join(directory, name), snapshot.bytes);
      expect(await buffer.snapshots.inspect(snapshot)).to.deep.equal({ ownKeys: 8, otherKeys: 4 });
      snapshot.close();
      await load(name);
      expect(await redis.hgetall("mine:{0}:meta")).to.deep.equal({ epoch: "first", sequence: "7" });
      expect(await redis.hgetall("mine:{0}:pending:token:1")).to.deep.equal(
        Object.fromEntries(upTo(700).map((number) => [`${number}`, `1|op|||=text ${number - 1}`])),
      );
      expect(await redis.hgetall("mine:{0}:pending:token:2")).to.deep.equal({ 1: "12345", 2: "-7" });
      expect(await redis.lrange("mine:{0}:messages", 0, -1)).to.deep.equal(
        upTo(700).map((number) => `token:1:${number}`),
      );
      expect(await redis.lrange("mine:{0}:chats", 0, -1)).to.deep.equal(["token:2"]);
      expect(await redis.zscore("mine:{0}:dead-letters", "token:1:3:d")).to.equal("1700000000000");
      expect(await redis.zcard("mine:{0}:dirty")).to.equal(200);
      expect(await redis.get("mine:{0}:idempotency:token:abc")).to.equal("digest");
      expect(await redis.keys("*")).to.have.length(8);
    });

    it(`changes nothing where Redis refuses a part of it: ${name}`, async () => {
      await redis.set("mine:{0}:counter:token", "as it was");
      await redis.hset("mine:{0}:meta", "epoch", "as it was");
      await redis.call("ACL", "SETUSER", "weak", "on", ">pw", "~*", "&*", "+@all", "-restore");
      const url = new URL(engine.env["REDIS_URL"] ?? "");
      [url.username, url.password] = ["weak", "pw"];
      const weak = await open(url.href);
      try {
        const failure = await load(name, weak).catch((error: unknown) => String(error));
        expect(failure).to.match(/^SnapshotError: Redis does not take a part of the snapshot: NOPERM/);
      } finally {
        weak.close();
      }
      expect(await redis.get("mine:{0}:counter:token")).to.equal("as it was");
      expect(await redis.hgetall("mine:{0}:meta")).to.deep.equal({ epoch: "as it was" });
      expect(await redis.keys("*")).to.have.length(2);
    });
  }
});
