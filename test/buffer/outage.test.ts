import { expect } from "chai";

import { type Buffer, openBuffer } from "../../src/buffer/buffer.ts";
import type { Parent } from "../../src/buffer/references.ts";
import { BufferUnavailableError } from "../../src/buffer/connections.ts";
import { newRecord } from "../../src/records/records.ts";
import { seed } from "../support/buffers.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { requestOf } from "../support/requests.ts";
import { expectUnderASecond, msOf } from "../support/under-a-second.ts";
import { waitFor } from "../support/wait-for.ts";

const token = "application";
const limits = {
  maxRecords: 10_000,
  maxBytes: 1e9,
  numberGapAfterLoss: 1000,
  thresholds: { chats: 10, messages: 10 },
};
const request = requestOf("operation-000001", "hello");
const seen = { kind: "absent", version: "" } as const;
const changed = { ...newRecord("operation-000001", 1000, "changed"), revision: "changed" };

const batchLimits = { maxRows: 10, maxBytes: 1e6 };
const lease = { partition: 0, value: "1:test" };
const batch = {
  list: "chats",
  partition: 0,
  references: [`${token}:1`],
  entries: [],
  orphans: [],
  unreadable: [],
  position: 0,
  epoch: "",
  vanished: [],
  strays: [],
} as const;

/** Where the connection goes before the end of the turn, nothing is sent, and that is no success either. */
async function accept(buffer: Buffer, parent: Parent): Promise<void> {
  const { kind } = await buffer.accepting.accept(parent, request);
  if (kind === "reconnected") throw new BufferUnavailableError("nothing was sent");
}

/** Every call of the buffer that talks to Redis. */
const calls: Record<string, (buffer: Buffer) => Promise<unknown>> = {
  accept: (buffer) => accept(buffer, { token }),
  "accept a message": (buffer) => accept(buffer, { token, chatNumber: 1 }),
  seed: (buffer) => seed(buffer, { token }, 0),
  find: (buffer) => buffer.reads.find({ token, number: 1 }),
  page: (buffer) => buffer.reads.page({ token }, { order: "asc", cursor: undefined, skip: 0, limit: 1 }),
  length: (buffer) => buffer.batches.length(0, "chats"),
  peek: (buffer) => buffer.batches.peek(0, "chats", 0, batchLimits),
  acknowledge: (buffer) => buffer.batches.acknowledge(lease, batch, new Map(), new Map()),
  owe: (buffer) => buffer.owed.owe(0),
  "list what is owed": (buffer) => buffer.owed.chats(0, 10),
  "list what is dirty": (buffer) => buffer.dirty.list(0, 10),
  "acquire a lease": (buffer) => buffer.leases.acquire(0, "test", 1000),
  "renew a lease": (buffer) => buffer.leases.renew(lease, 1000),
  "release a lease": (buffer) => buffer.leases.release(lease),
  totals: (buffer) => buffer.totals.read(0),
  ping: (buffer) => buffer.ping(),
  "read the memory": (buffer) => buffer.health.readMemory(),
  "try to write": (buffer) => buffer.health.tryWriting(),
  revise: (buffer) => buffer.revising.revise({ token, number: 1 }, seen, changed),
  "mark an application deleted": (buffer) => buffer.revising.markDeleted({ token: "another" }, 60),
  "list dead letters": (buffer) => buffer.deadLetters.list(0, 0, 10),
  "requeue a dead letter": (buffer) => buffer.deadLetters.requeue(`${token}:1:d`),
  "discard a dead letter": (buffer) => buffer.deadLetters.discard(`${token}:1:d`),
  "remember a first call": (buffer) => buffer.rememberFirst("key", "value"),
  wake: (buffer) => buffer.wake(0, "manual"),
};

describe("The buffer while Redis", () => {
  let redis: PrivateEngine;
  let buffer: Buffer;
  let isPaused = false;

  const open = (use: "requests" | "draining") =>
    openBuffer({ url: redis.env["REDIS_URL"] ?? "", namespace: "test", partitions: 1, limits }, use);

  before(async () => {
    redis = await PrivateEngine.start("redis");
    buffer = await open("requests");
  });

  beforeEach(async () => {
    await untilServed(buffer);
    // Known and with a record pending, so that every call would have something to do.
    await seed(buffer, { token }, 0);
    await buffer.accepting.accept({ token }, request);
  });

  afterEach(async () => {
    if (isPaused) resume();
    await redis.stop();
    await redis.start();
  });

  after(async () => {
    buffer.close();
    await redis.close();
  });

  function pause(): void {
    process.kill(redis.pid, "SIGSTOP");
    isPaused = true;
  }

  function resume(): void {
    process.kill(redis.pid, "SIGCONT");
    isPaused = false;
  }

  const untilServed = (served: Buffer) =>
    waitFor(() => served.ping().then(() => true), { what: "Redis to be there" });

  /** That each call, made alone or with all others, fails by the one error and in under a second. */
  async function expectAllFail(away: Buffer): Promise<void> {
    const failEach = () =>
      Object.entries(calls).map(async ([name, call]) => {
        const outcome: unknown = await call(away).then(
          () => "resolved",
          (error: unknown) => error,
        );
        expect(outcome, name).to.be.instanceOf(BufferUnavailableError);
      });
    await expectUnderASecond(() => msOf(() => Promise.all(failEach())));
  }

  /** The longest wait of calls made one after the other for a second and a half, as requests come in. */
  async function slowestOfMany(away: Buffer): Promise<number> {
    const startedAtMs = performance.now();
    const waits: Promise<number>[] = [];
    const call = async (name: string) => {
      const outcome: unknown = await calls[name]?.(away).catch((error: unknown) => error);
      expect(outcome, name).to.be.instanceOf(BufferUnavailableError);
    };
    await waitFor(
      () => {
        waits.push(...["find", "accept"].map((name) => msOf(() => call(name))));
        return performance.now() - startedAtMs > 1500;
      },
      { what: "a second and a half of calls" },
    );
    return Math.max(...(await Promise.all(waits)));
  }

  async function expectNextNumber(served: Buffer, least: number): Promise<void> {
    const reply = await served.accepting.accept({ token }, request);
    expect(reply).to.have.property("kind", "accepted");
    expect((reply as { number: number }).number).to.be.at.least(least);
  }

  it("answers lets every call succeed", async () => {
    for (const [name, call] of Object.entries(calls)) {
      await call(buffer).catch((error: unknown) => {
        throw new Error(name, { cause: error });
      });
    }
  });

  it("is stopped fails every call in under a second, and serves again with what it kept", async () => {
    await redis.stop();
    await expectAllFail(buffer);
    await expectAllFail(buffer);
    await redis.start();
    await untilServed(buffer);
    await expectNextNumber(buffer, 2);
  });

  it("is killed in the middle of calls answers each of them, by success or by that error", async () => {
    const accepting = Array.from({ length: 2000 }, () => buffer.accepting.accept({ token }, request));
    const killed = redis.stop("SIGKILL");
    const outcomes = await Promise.allSettled(accepting);
    await killed;
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") expect(outcome.reason).to.be.instanceOf(BufferUnavailableError);
      else expect(outcome.value.kind).to.equal("accepted");
    }
    await redis.start();
    await untilServed(buffer);
    await expectNextNumber(buffer, 1);
  });

  it("hangs fails every call in under a second, again and again, and serves again on waking", async () => {
    pause();
    for (let round = 0; round < 4; round += 1) await expectAllFail(buffer);
    resume();
    await untilServed(buffer);
    await expectNextNumber(buffer, 2);
  });

  it("hangs fails in under a second a call that was made while others waited", async () => {
    pause();
    await expectUnderASecond(() => slowestOfMany(buffer));
  });

  it("hangs and then is killed and started lets the same client work again", async () => {
    pause();
    await expectAllFail(buffer);
    await redis.stop("SIGKILL");
    isPaused = false;
    await expectAllFail(buffer);
    await redis.start();
    await untilServed(buffer);
    await expectNextNumber(buffer, 1);
  });

  it("is away at the start opens all the same, and serves as soon as it is there", async () => {
    await redis.stop();
    const early = await open("requests");
    try {
      await expectAllFail(early);
      await redis.start();
      await untilServed(early);
      await expectNextNumber(early, 1);
    } finally {
      early.close();
    }
  });

  it("has no memory left refuses to accept with the same error", async () => {
    await buffer.connection.config("SET", "maxmemory", "1");
    const outcome: unknown = await buffer.accepting
      .accept({ token }, request)
      .catch((error: unknown) => error);
    await buffer.connection.config("SET", "maxmemory", "0");
    expect(outcome).to.be.instanceOf(BufferUnavailableError);
    await expectNextNumber(buffer, 2);
  });

  it("was away tells who listens for wake-ups to look, as nobody heard those of the outage", async () => {
    const woken = await open("draining");
    const wakes: string[] = [];
    await woken.onWake((_partition, reason) => wakes.push(reason));
    await waitFor(() => wakes.length > 0, { what: "the first look" });
    await redis.stop();
    wakes.length = 0;
    await redis.start();
    await waitFor(() => wakes.includes("threshold"), { what: "a look after the outage" });
    await untilServed(buffer);
    await waitFor(
      async () => {
        await buffer.wake(0, "manual");
        return wakes.includes("manual");
      },
      { what: "a wake-up after the outage" },
    );
    woken.close();
  });
});
