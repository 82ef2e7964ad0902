import { expect } from "chai";
import fc from "fast-check";

import { type Buffer, openBuffer } from "../../src/buffer/buffer.ts";
import { Keys } from "../../src/buffer/keys.ts";
import type { Lease } from "../../src/buffer/leases.ts";
import type { PendingQuery } from "../../src/buffer/pending-reads.ts";
import { operationIdOf, requestOf } from "../support/requests.ts";
import { seed } from "../support/buffers.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const token = "application";
const limits = {
  maxRecords: 10_000,
  maxBytes: 1e9,
  numberGapAfterLoss: 1000,
  thresholds: { chats: 1000, messages: 1000 },
};
const requestFor = (number: number) => requestOf(operationIdOf(number), `body ${number}`);

const query: fc.Arbitrary<PendingQuery> = fc.record({
  order: fc.constantFrom("asc" as const, "desc" as const),
  cursor: fc.option(fc.nat(50), { nil: undefined }),
  skip: fc.nat(20),
  limit: fc.nat(20),
  nearOnly: fc.boolean(),
});

/** What the buffer should have of one parent. */
interface Expected {
  /** Numbers not yet in MySQL. */
  readonly pending: Set<number>;
  /** Those of them that were deleted: nobody sees them, and they keep their place until a flush. */
  readonly deleted: Set<number>;
  /** Numbers that are in MySQL, and were changed since they were read. */
  readonly revised: Set<number>;
}

/** What a page of a plain list of numbers is. */
function modelPage({ pending, deleted, revised }: Expected, { order, cursor, skip, limit }: PendingQuery) {
  const ascending = [...pending].sort((a, b) => a - b);
  const seen = ascending.filter((number) => !deleted.has(number));
  const ordered = order === "asc" ? seen : [...seen].reverse();
  const beyond = ordered.filter(
    (number) => cursor === undefined || (order === "asc" ? number > cursor : number < cursor),
  );
  return {
    pendingCount: seen.length,
    lowest: ascending[0],
    numbers: beyond.slice(skip, skip + limit),
    revisions: [...revised, ...deleted].sort((a, b) => a - b),
    dead: [],
  };
}

describe("A page of what is pending", () => {
  let workspace: Workspace;
  let keys: Keys;
  let buffer: Buffer;
  let lease: Lease;
  let chatNumber = 0;

  before(async () => {
    workspace = await openWorkspace();
    // Records are taken away by hand, and the list between two examples.
    workspace.expectFindings("counter-bytes", "partition-bytes", "unlisted", "dangling");
    keys = new Keys(workspace.config.redis.namespace, 1);
    buffer = await openBuffer({ ...workspace.config.redis, limits }, "draining");
    const taken = await buffer.leases.acquire(0, "test", 60_000);
    if (!taken) throw new Error("another holds the lease");
    lease = taken;
  });

  after(async () => {
    buffer.close();
    await workspace.close();
  });

  const parent = () => ({ token, chatNumber });

  /** A chat of its own for each example, with numbers from `stored` + 1 on. */
  async function begin(stored: number, count: number): Promise<Expected> {
    chatNumber += 1;
    await workspace.redis.del(keys.list(0, "messages"));
    await seed(buffer, parent(), stored);
    const numbers = Array.from({ length: count }, (_, at) => stored + at + 1);
    await Promise.all(numbers.map((number) => buffer.accepting.accept(parent(), requestFor(number))));
    return { pending: new Set(numbers), deleted: new Set(), revised: new Set() };
  }

  async function change(number: number, edit: "update" | "delete"): Promise<void> {
    const place = { ...parent(), number };
    const seen = await buffer.reads.find(place);
    if (seen.kind === "gone" || seen.kind === "absent") throw new Error(seen.kind);
    const record = { ...seen.record, revision: `r${Math.random()}` };
    const changed = edit === "update" ? record : { ...record, text: null, isDeleted: true };
    expect(await buffer.revising.revise(place, seen, changed)).to.deep.equal({ kind: "revised" });
  }

  /** Flushes the head of the list, and changes some of what is pending after it was read. */
  async function flush(count: number, changed: readonly number[], expected: Expected): Promise<void> {
    if (count === 0) return;
    const batch = await buffer.batches.peek(0, "messages", 0, { maxRows: count, maxBytes: 1e9 });
    const changeable = changed.filter((number) => expected.pending.has(number));
    for (const number of changeable) await change(number, "update");
    await buffer.batches.acknowledge(lease, batch, new Map(), new Map());
    for (const { number } of batch.entries) {
      expected.pending.delete(number);
      expected.deleted.delete(number);
      if (changeable.includes(number)) expected.revised.add(number);
    }
  }

  async function expectPages(expected: Expected, queries: readonly PendingQuery[]): Promise<void> {
    for (const asked of queries) {
      const page = await buffer.reads.page(parent(), asked);
      if (page === "gone") throw new Error("the chat is gone");
      const { pendingCount, lowest, records, isFar, revisions, dead } = page;
      const model = modelPage(expected, asked);
      if (isFar) {
        expect(asked).to.include({ order: "asc", nearOnly: true });
        expect(lowest).to.be.greaterThan((asked.cursor ?? 0) + asked.limit);
        expect(records).to.deep.equal([]);
      }
      const numbers = isFar ? model.numbers : records.map(({ number }) => number);
      const revised = revisions.map(({ number }) => number).sort((a, b) => a - b);
      const seen = { pendingCount, lowest, numbers, revisions: revised, dead };
      expect(seen, JSON.stringify(asked)).to.deep.equal(model);
      for (const { number, record } of records) expect(record.text).to.equal(`body ${number}`);
    }
  }

  const queries = fc.array(query, { minLength: 5, maxLength: 10 });
  const runs = { numRuns: 60, endOnFailure: false };

  it("is that of a plain list, where numbers are dense and some were flushed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(20), fc.nat(30), fc.nat(30), queries, async (stored, count, flushed, asked) => {
        const expected = await begin(stored, count);
        await flush(Math.min(count, flushed), [], expected);
        await expectPages(expected, asked);
      }),
      runs,
    );
  });

  it("is that of a plain list, where records have vanished", async () => {
    const gone = fc.uniqueArray(fc.integer({ min: 1, max: 30 }));
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 30 }),
        fc.nat(30),
        gone,
        queries,
        async (count, flushed, holes, asked) => {
          const expected = await begin(0, count);
          await flush(Math.min(count, flushed), [], expected);
          for (const number of holes) {
            await workspace.redis.hdel(keys.pending(parent()), String(number));
            expected.pending.delete(number);
          }
          await expectPages(expected, asked);
        },
      ),
      runs,
    );
  });

  it("is that of a plain list, where records changed in flight stayed behind", async () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 30 }),
        numbers,
        queries,
        async (count, flushed, changed, asked) => {
          const expected = await begin(0, count);
          await flush(flushed, changed, expected);
          await expectPages(expected, asked);
        },
      ),
      runs,
    );
  });

  it("is that of a plain list, where pending records were deleted, dense or with a gap", async () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 30 }));
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 30 }),
        fc.nat(20),
        numbers,
        fc.boolean(),
        queries,
        async (count, flushed, chosen, hasGap, asked) => {
          const expected = await begin(0, count);
          if (hasGap) {
            await workspace.redis.hset(keys.counter(parent()), "last", 99);
            await buffer.accepting.accept(parent(), requestFor(100));
            expected.pending.add(100);
          }
          for (const number of chosen) {
            if (number > count) continue;
            await change(number, "delete");
            expected.deleted.add(number);
          }
          await expectPages(expected, asked);
          await flush(Math.min(count, flushed), [], expected);
          await expectPages(expected, asked);
        },
      ),
      runs,
    );
  });

  it("is that of a plain list, where one record stayed behind and as many have vanished", async () => {
    const expected = await begin(0, 10);
    await flush(5, [3], expected);
    await workspace.redis.hdel(keys.pending(parent()), "6");
    expected.pending.delete(6);
    const whole = { cursor: undefined, skip: 0, limit: 20 };
    await expectPages(expected, [
      { order: "asc", ...whole },
      { order: "desc", ...whole },
    ]);
  });

  it("is that of a plain list, where numbers resumed above a gap", async () => {
    const expected = await begin(0, 5);
    await workspace.redis.hset(keys.counter(parent()), "last", 1000);
    await buffer.accepting.accept(parent(), requestFor(1001));
    expected.pending.add(1001);
    await expectPages(expected, [
      { order: "asc", cursor: undefined, skip: 0, limit: 10 },
      { order: "asc", cursor: 4, skip: 0, limit: 10 },
      { order: "desc", cursor: undefined, skip: 1, limit: 2 },
      { order: "desc", cursor: 1001, skip: 0, limit: 2 },
    ]);
  });

  it("keeps numbers apart that only a long integer tells apart", async () => {
    const greatest = Number.MAX_SAFE_INTEGER - 1000;
    const expected = await begin(greatest, 5);
    await expectPages(expected, [
      { order: "asc", cursor: undefined, skip: 0, limit: 10 },
      { order: "asc", cursor: greatest + 2, skip: 1, limit: 10 },
      { order: "desc", cursor: undefined, skip: 0, limit: 10 },
      { order: "desc", cursor: greatest + 4, skip: 1, limit: 10 },
    ]);
  });

  it("is spared, where asked for near ones only, when as many numbers as it has room for lie before it", async () => {
    await flush(20, [], await begin(0, 30));
    const isFar = async (over: Partial<PendingQuery>) => {
      const query = { order: "asc", cursor: undefined, skip: 0, limit: 20, nearOnly: true, ...over } as const;
      const page = await buffer.reads.page(parent(), query);
      return page !== "gone" && page.isFar;
    };
    expect(await isFar({})).to.equal(true);
    expect(await isFar({ cursor: 0, limit: 21 })).to.equal(false);
    expect(await isFar({ cursor: 1 })).to.equal(false);
    expect(await isFar({ cursor: 1, limit: 19 })).to.equal(true);
    expect(await isFar({ nearOnly: false })).to.equal(false);
    expect(await isFar({ order: "desc", cursor: 1, limit: 1 })).to.equal(false);
    await workspace.redis.hdel(keys.pending(parent()), "25");
    expect(await isFar({})).to.equal(false);
  });

  it("is empty for a parent that nobody knows", async () => {
    chatNumber += 1;
    await expectPages({ pending: new Set(), deleted: new Set(), revised: new Set() }, [
      { order: "asc", cursor: undefined, skip: 0, limit: 10 },
    ]);
  });
});
