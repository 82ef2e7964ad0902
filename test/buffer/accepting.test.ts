import { expect } from "chai";

import { type Buffer as PendingBuffer, openBuffer } from "../../src/buffer/buffer.ts";
import { Keys } from "../../src/buffer/keys.ts";
import type { ListName, Parent } from "../../src/buffer/references.ts";
import { requestOf } from "../support/requests.ts";
import { waitFor } from "../support/wait-for.ts";
import { seed } from "../support/buffers.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const limits = {
  maxRecords: 1000,
  maxBytes: 1_000_000,
  numberGapAfterLoss: 1000,
  thresholds: { chats: 10, messages: 10 },
};
const token = "application";
const everything = { maxRows: 1000, maxBytes: 1_000_000 };

const request = (text = "hello") => requestOf("operation-000001", text);
const bytesOf = (text: string) => Buffer.byteLength(request(text).payload);

describe("Accepting", () => {
  let workspace: Workspace;
  let keys: Keys;
  const opened: PendingBuffer[] = [];

  before(async () => {
    workspace = await openWorkspace();
    keys = new Keys(workspace.config.redis.namespace, 1);
  });

  afterEach(async () => {
    for (const buffer of opened.splice(0)) buffer.close();
    const left = await workspace.redis.keys(`${workspace.config.redis.namespace}:*`);
    if (left.length > 0) await workspace.redis.del(left);
  });

  after(async () => {
    await workspace.close();
  });

  async function open(over: Partial<typeof limits> = {}): Promise<PendingBuffer> {
    const settings = { ...workspace.config.redis, limits: { ...limits, ...over } };
    const buffer = await openBuffer(settings, "requests");
    opened.push(buffer);
    return buffer;
  }

  /** The number a record is given, or why it is given none. */
  async function accept(buffer: PendingBuffer, parent: Parent, text = "hello"): Promise<number | string> {
    const reply = await buffer.accepting.accept(parent, request(text));
    return reply.kind === "accepted" ? reply.number : reply.kind;
  }

  async function acknowledgeAll(buffer: PendingBuffer, list: ListName): Promise<void> {
    const lease = await buffer.leases.acquire(0, "test", 10_000);
    if (!lease) throw new Error("another holds the lease");
    await buffer.batches.acknowledge(
      lease,
      await buffer.batches.peek(0, list, 0, everything),
      new Map(),
      new Map([["rows", 1]]),
    );
    await buffer.leases.release(lease);
  }

  const pendingBytes = async (buffer: PendingBuffer) => (await buffer.totals.read(0)).pendingBytes;

  it("numbers from 1 to n without a gap, whichever of two connections asks", async () => {
    const [one, other] = [await open(), await open()];
    await seed(one, { token }, 0);
    await accept(one, { token });
    const parent = { token, chatNumber: 1 };
    const bodies = Array.from({ length: 500 }, (_, at) => `message ${at}`);
    const numbers = await Promise.all(bodies.map((body, at) => accept(at % 2 ? one : other, parent, body)));
    expect(numbers.map(Number).sort((a, b) => a - b)).to.deep.equal(bodies.map((_, at) => at + 1));
    const { entries } = await one.batches.peek(0, "messages", 0, everything);
    expect(entries.map(({ number }) => number)).to.deep.equal(bodies.map((_, at) => at + 1));
    for (const { number, record } of entries)
      expect(numbers[bodies.indexOf(record.text ?? "")]).to.equal(number);
  });

  it("numbers each parent for itself", async () => {
    const buffer = await open();
    await seed(buffer, { token }, 0);
    await seed(buffer, { token: "another" }, 41);
    expect([await accept(buffer, { token }), await accept(buffer, { token })]).to.deep.equal([1, 2]);
    expect(await accept(buffer, { token: "another" })).to.equal(42);
    expect(await accept(buffer, { token, chatNumber: 2 })).to.equal(1);
    expect(await accept(buffer, { token, chatNumber: 1 })).to.equal(1);
    expect(await accept(buffer, { token, chatNumber: 2 })).to.equal(2);
  });

  it("knows no parent that nobody has named, and keeps nothing for it", async () => {
    const buffer = await open();
    expect(await accept(buffer, { token })).to.equal("unknown-parent");
    await seed(buffer, { token }, 5);
    for (const chatNumber of [1, 5, 6]) {
      expect(await accept(buffer, { token, chatNumber })).to.equal("unknown-parent");
    }
    expect(await accept(buffer, { token: "another" })).to.equal("unknown-parent");
    const { pending, pendingBytes: bytes, accepted } = await buffer.totals.read(0);
    expect({ pending, bytes, accepted }).to.deep.equal({
      pending: { chats: 0, messages: 0 },
      bytes: 0,
      accepted: { chats: 0, messages: 0 },
    });
    expect(await workspace.redis.exists(keys.counter({ token: "another" }))).to.equal(0);
  });

  it("takes a pending chat's first message without asking anybody", async () => {
    const buffer = await open();
    await seed(buffer, { token }, 5);
    expect(await accept(buffer, { token })).to.equal(6);
    expect(await accept(buffer, { token, chatNumber: 6 })).to.equal(1);
    await acknowledgeAll(buffer, "chats");
    expect(await accept(buffer, { token, chatNumber: 6 })).to.equal(2);
  });

  it("asks for a flushed chat that has had no message yet, as others may know of some", async () => {
    const buffer = await open();
    await seed(buffer, { token }, 0);
    await accept(buffer, { token });
    await acknowledgeAll(buffer, "chats");
    expect(await accept(buffer, { token, chatNumber: 1 })).to.equal("unknown-parent");
  });

  describe("what comes together", () => {
    it("in one call is answered each for itself, in the order in which it came", async () => {
      const buffer = await open({ maxRecords: 7 });
      await seed(buffer, { token }, 0);
      await seed(buffer, { token: "deleted" }, 0);
      await buffer.revising.markDeleted({ token: "deleted" }, 60);
      await accept(buffer, { token });
      const chat = { token, chatNumber: 1 };
      const keyed = (fingerprint: string) =>
        buffer.accepting.accept(chat, { ...request(), requestKey: { key: "key", fingerprint } });
      const replies = await Promise.all([
        keyed("same"),
        buffer.accepting.accept({ token: "unknown" }, request()),
        buffer.accepting.accept(chat, request()),
        keyed("same"),
        keyed("another"),
        buffer.accepting.accept({ token: "deleted" }, request()),
        buffer.accepting.accept({ token, chatNumber: 2 }, request()),
        buffer.accepting.accept({ token }, request()),
        buffer.accepting.accept({ token, chatNumber: 2 }, request()),
        buffer.accepting.accept(chat, request()),
        buffer.accepting.accept({ token }, request()),
        buffer.accepting.accept(chat, request()),
        keyed("same"),
      ]);
      expect(replies).to.deep.equal([
        { kind: "accepted", number: 1 },
        { kind: "unknown-parent" },
        { kind: "accepted", number: 2 },
        { kind: "replayed", number: 1, createdAtMs: 1000 },
        { kind: "key-reused" },
        { kind: "deleted-parent" },
        { kind: "unknown-parent" },
        { kind: "accepted", number: 2 },
        { kind: "accepted", number: 1 },
        { kind: "accepted", number: 3 },
        { kind: "accepted", number: 3 },
        { kind: "full" },
        { kind: "replayed", number: 1, createdAtMs: 1000 },
      ]);
      const { pending, pendingBytes: bytes, accepted } = await buffer.totals.read(0);
      expect({ pending, bytes, accepted }).to.deep.equal({
        pending: { chats: 3, messages: 4 },
        bytes: 7 * bytesOf("hello"),
        accepted: { chats: 3, messages: 4 },
      });
    });

    it("suffers nothing from a neighbour whose key was spoilt", async () => {
      const buffer = await open();
      await seed(buffer, { token }, 0);
      await workspace.redis.set(keys.counter({ token: "spoilt" }), "no hash");
      await workspace.redis.hset(keys.counter({ token: "odd" }), { epoch: "first-epoch", last: "no number" });
      const outcomes = await Promise.allSettled(
        [token, "spoilt", token, "odd", token].map((each) => accept(buffer, { token: each })),
      );
      expect(outcomes.map((outcome) => outcome.status === "fulfilled" && outcome.value)).to.deep.equal([
        1,
        false,
        2,
        false,
        3,
      ]);
      expect((await buffer.totals.read(0)).accepted.chats).to.equal(3);
    });

    it("is taken by Redis in calls of at most 8 records or 256 KiB", async () => {
      const buffer = await open();
      await seed(buffer, { token }, 0);
      await accept(buffer, { token });
      const callsFor = async (texts: readonly string[]): Promise<number> => {
        const before = await scriptCalls();
        await Promise.all(texts.map((text) => accept(buffer, { token }, text)));
        return (await scriptCalls()) - before;
      };
      expect(await callsFor(Array.from({ length: 17 }, () => ""))).to.equal(3);
      expect(await callsFor(Array.from({ length: 9 }, () => "x".repeat(64 * 1024)))).to.equal(3);
    });

    async function scriptCalls(): Promise<number> {
      const stats = await workspace.redis.info("commandstats");
      return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    }
  });

  describe("when as much is pending as may be", () => {
    it("gives no number by records, chats and messages together, and the next when there is room", async () => {
      const buffer = await open({ maxRecords: 3 });
      await seed(buffer, { token }, 0);
      const message = { token, chatNumber: 1 };
      expect(await accept(buffer, { token })).to.equal(1);
      expect([await accept(buffer, message), await accept(buffer, message)]).to.deep.equal([1, 2]);
      expect(await accept(buffer, message)).to.equal("full");
      expect(await accept(buffer, { token })).to.equal("full");
      await acknowledgeAll(buffer, "messages");
      expect(await accept(buffer, message)).to.equal(3);
      expect(await accept(buffer, { token })).to.equal(2);
      expect(await accept(buffer, { token })).to.equal("full");
    });

    it("gives no number by bytes, to the byte, and the next when there is room", async () => {
      const each = bytesOf("é".repeat(100));
      const buffer = await open({ maxBytes: 3 * each });
      await seed(buffer, { token }, 0);
      const text = "é".repeat(100);
      for (const number of [1, 2, 3]) expect(await accept(buffer, { token }, text)).to.equal(number);
      expect(await pendingBytes(buffer)).to.equal(3 * each);
      expect(await accept(buffer, { token }, "")).to.equal("full");
      await acknowledgeAll(buffer, "chats");
      expect(await accept(buffer, { token }, text)).to.equal(4);
    });

    it("changes nothing in Redis", async () => {
      const buffer = await open({ maxRecords: 1 });
      await seed(buffer, { token }, 0);
      await accept(buffer, { token });
      const before = await workspace.redis.keys(`${workspace.config.redis.namespace}:*`);
      expect(await accept(buffer, { token })).to.equal("full");
      expect(await accept(buffer, { token, chatNumber: 1 })).to.equal("full");
      const after = await workspace.redis.keys(`${workspace.config.redis.namespace}:*`);
      expect(after.sort()).to.deep.equal(before.sort());
    });
  });

  it("counts the bytes of what is pending, and comes back to none after every ack", async () => {
    const buffer = await open();
    await seed(buffer, { token }, 0);
    const texts = ["", "hello", "😀".repeat(100), "\0\u2028", "x".repeat(10_000)];
    let bytes = 0;
    for (const text of texts) {
      bytes += bytesOf(text);
      await accept(buffer, { token }, text);
    }
    await accept(buffer, { token, chatNumber: 1 }, "");
    expect(await pendingBytes(buffer)).to.equal(bytes + bytesOf(""));
    await acknowledgeAll(buffer, "chats");
    await acknowledgeAll(buffer, "messages");
    expect(await pendingBytes(buffer)).to.equal(0);
  });

  it("keeps nothing accepted under a TTL", async () => {
    const buffer = await open();
    await seed(buffer, { token }, 0);
    await accept(buffer, { token });
    await accept(buffer, { token, chatNumber: 1 });
    const left = await workspace.redis.keys(`${workspace.config.redis.namespace}:*`);
    expect(left).to.have.length.greaterThan(5);
    for (const key of left) expect(await workspace.redis.ttl(key), key).to.equal(-1);
  });

  it("wakes the flusher at each multiple of a list's threshold, and at nothing else", async () => {
    const buffer = await open({ thresholds: { chats: 4, messages: 3 } });
    const wakes: string[] = [];
    await buffer.onWake((partition, reason) => wakes.push(`${partition} ${reason}`));
    // The first call speaks of the connection; it says nothing of a list.
    await waitFor(() => wakes.length === 1, { what: "the subscription" });
    wakes.length = 0;
    await seed(buffer, { token }, 0);
    await accept(buffer, { token });
    for (let number = 1; number <= 8; number += 1) await accept(buffer, { token, chatNumber: 1 });
    await buffer.wake(0, "manual");
    await waitFor(() => wakes.includes("0 manual"), { what: "the last wake-up" });
    expect(wakes).to.deep.equal(["0 threshold", "0 threshold", "0 manual"]);
    for (let number = 2; number <= 4; number += 1) await accept(buffer, { token });
    await waitFor(() => wakes.length === 4, { what: "the chats' wake-up" });
    await accept(buffer, { token, chatNumber: 1 });
    await waitFor(() => wakes.length === 5, { what: "the ninth message's wake-up" });
  });
});
