import { expect } from "chai";

import { type Buffer, openBuffer } from "../../src/buffer/buffer.ts";
import { BufferUnavailableError } from "../../src/buffer/connections.ts";
import { roomyLimits, seed } from "../support/buffers.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { operationIdOf, requestOf } from "../support/requests.ts";
import { waitFor } from "../support/wait-for.ts";

const token = "application";
const writers = 8;
const limits = { ...roomyLimits, maxRecords: 1_000_000 };

/** Accepts chats as fast as it can, and remembers which numbers were answered. */
class Load {
  /** In the order of their answers. */
  readonly answered: number[] = [];
  readonly #buffer: Buffer;
  readonly #writing: Promise<unknown>;
  #isOver = false;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
    this.#writing = Promise.all(Array.from({ length: writers }, () => this.#write()));
  }

  /** Resolves when so many more were answered. */
  async goesOn(count: number): Promise<void> {
    const enough = this.answered.length + count;
    await waitFor(() => this.answered.length >= enough, { what: `${count} answers` });
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#writing;
  }

  async #write(): Promise<void> {
    for (let serial = 1; !this.#isOver; serial += 1) {
      try {
        const reply = await this.#buffer.accepting.accept({ token }, requestOf(operationIdOf(serial), null));
        if (reply.kind !== "accepted") throw new Error(`not accepted: ${reply.kind}`);
        this.answered.push(reply.number);
      } catch (error) {
        // Redis is gone: what was not answered does not count.
        if (error instanceof BufferUnavailableError) return;
        throw error;
      }
    }
  }
}

/** A Redis that is set to keep what it is told in one way or another. */
class KillableRedis {
  readonly #engine: PrivateEngine;
  readonly buffer: Buffer;

  private constructor(engine: PrivateEngine, buffer: Buffer) {
    this.#engine = engine;
    this.buffer = buffer;
  }

  static async start(settings: readonly string[]): Promise<KillableRedis> {
    const engine = await PrivateEngine.start("redis", settings);
    const url = engine.env["REDIS_URL"] ?? "";
    const buffer = await openBuffer({ url, namespace: "test", partitions: 1, limits }, "draining");
    await seed(buffer, { token }, 0);
    return new KillableRedis(engine, buffer);
  }

  /** Kills it under load, and starts it again. */
  async killAndStart(load: Load): Promise<void> {
    await this.#engine.stop("SIGKILL");
    await load.end();
    await this.#engine.start();
    await waitFor(() => this.buffer.ping().then(() => true), { what: "Redis to be there" });
  }

  /** Those of the numbers whose record it has. */
  async kept(numbers: readonly number[]): Promise<number[]> {
    const query = { order: "asc", skip: 0, limit: 500 } as const;
    const kept = new Set<number>();
    for (let cursor: number | undefined; ;) {
      const page = await this.buffer.reads.page({ token }, { ...query, cursor });
      if (page === "gone") throw new Error("the application is gone");
      if (page.records.length === 0) return numbers.filter((number) => kept.has(number));
      for (const { number } of page.records) kept.add(number);
      cursor = page.records.at(-1)?.number;
    }
  }

  async close(): Promise<void> {
    this.buffer.close();
    await this.#engine.close();
  }
}

describe("What Redis has of what was accepted, killed under load and started again,", () => {
  let redis: KillableRedis;

  afterEach(async () => {
    await redis.close();
  });

  for (const policy of ["always", "no"]) {
    it(`is all of it with appendonly yes and appendfsync ${policy}`, async () => {
      redis = await KillableRedis.start(["--appendfsync", policy]);
      const load = new Load(redis.buffer);
      await load.goesOn(500);
      await redis.killAndStart(load);
      expect(await redis.kept(load.answered)).to.deep.equal(load.answered);
    });
  }

  it("is all but the last two seconds of it at most with appendonly yes and appendfsync everysec", async () => {
    redis = await KillableRedis.start(["--appendfsync", "everysec"]);
    const load = new Load(redis.buffer);
    await load.goesOn(500);
    const early = [...load.answered];
    // A third second, as Redis counts them whole.
    const killAtMs = performance.now() + 3000;
    await waitFor(() => performance.now() > killAtMs, { what: "three seconds of load" });
    await redis.killAndStart(load);
    expect(await redis.kept(early)).to.deep.equal(early);
    // On a busy disk the end may be missing, and nothing from between.
    const inOrder = load.answered.toSorted((a, b) => a - b);
    const kept = await redis.kept(inOrder);
    expect(kept).to.deep.equal(inOrder.slice(0, kept.length));
  });

  it("is what the last snapshot has with appendonly no and snapshots", async () => {
    redis = await KillableRedis.start(["--appendonly", "no", "--save", "3600 1"]);
    const early = new Load(redis.buffer);
    await early.goesOn(100);
    await early.end();
    await redis.buffer.connection.save();
    const load = new Load(redis.buffer);
    await load.goesOn(100);
    await redis.killAndStart(load);
    expect(await redis.kept([...early.answered, ...load.answered])).to.deep.equal(early.answered);
  });

  it("is nothing without persistence", async () => {
    redis = await KillableRedis.start(["--appendonly", "no"]);
    const load = new Load(redis.buffer);
    await load.goesOn(100);
    await redis.killAndStart(load);
    expect(await redis.kept(load.answered)).to.deep.equal([]);
  });
});
