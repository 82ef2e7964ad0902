import { expect } from "chai";

import { type Buffer, openBuffer } from "../../src/buffer/buffer.ts";
import type { Lease } from "../../src/buffer/leases.ts";
import { newRecord } from "../../src/records/records.ts";
import { beginEpoch, openTestBuffer, roomyLimits, seed, takeLease } from "../support/buffers.ts";
import { operationIdOf, requestOf } from "../support/requests.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const token = "application";
const chat = { token, chatNumber: 1 };
const other = { token, chatNumber: 2 };
const mostOwed = 6000;

describe("Owed documents", () => {
  let workspace: Workspace;
  let buffer: Buffer;
  let lease: Lease;
  let serial = 0;

  beforeEach(async () => {
    workspace = await openWorkspace();
    buffer = await openBuffer({ ...workspace.config.redis, limits: roomyLimits, mostOwed }, "draining");
    await seed(buffer, { token }, 0);
    await seed(buffer, chat, 0);
    await seed(buffer, other, 0);
    lease = await takeLease(buffer);
  });

  afterEach(async () => {
    buffer.close();
    await workspace.close();
  });

  async function accept(parent: { token: string; chatNumber?: number }, count: number): Promise<void> {
    const accepts = Array.from({ length: count }, () => {
      serial += 1;
      return buffer.accepting.accept(parent, requestOf(operationIdOf(serial), "body"));
    });
    await Promise.all(accepts);
  }

  /** Takes what is pending off a list as a flush does; `refused` numbers die. */
  async function flush(list: "chats" | "messages" = "messages", refused: readonly number[] = []) {
    const batch = await buffer.batches.peek(0, list, 0, { maxRows: 5000, maxBytes: 1e9 });
    const deaths = batch.entries.filter(({ number }) => refused.includes(number));
    const reply = await buffer.batches.acknowledge(
      lease,
      batch,
      new Map(deaths.map((entry) => [entry, { kind: "refused" as const, reason: "refused" }])),
      new Map(),
    );
    expect(reply.kind).to.equal("acknowledged");
  }

  async function owedOf(parent: typeof chat): Promise<Map<number, number>> {
    const documents = await buffer.owed.list(parent, 10_000);
    return new Map(documents.map(({ number, sequence }) => [number, sequence]));
  }

  const asMessages = (documents: Map<number, number>, parent = chat) =>
    Array.from(documents, ([number, sequence]) => ({ ...parent, number, sequence }));

  it("are nothing before a flush, and each message after it, chats aside", async () => {
    await accept({ token }, 1);
    await accept(chat, 3);
    await accept(other, 1);
    expect((await buffer.owed.totals(0)).documents).to.equal(0);
    const before = Date.now();
    await flush("chats");
    await flush();
    expect([...(await owedOf(chat)).keys()].sort()).to.deep.equal([1, 2, 3]);
    expect([...(await owedOf(other)).keys()]).to.deep.equal([1]);
    expect(await buffer.owed.chats(0, 10)).to.deep.equal([chat, other]);
    const totals = await buffer.owed.totals(0);
    expect(totals).to.include({ documents: 4, removals: 0 });
    expect(totals.oldestAgeMs)
      .to.be.at.least(0)
      .and.at.most(Date.now() - before + 1);
  });

  it("grow old by the clock of Redis, whatever that of the flusher says", async () => {
    await accept(chat, 1);
    const real = Date.now;
    Date.now = () => real() + 7_200_000;
    try {
      await flush();
    } finally {
      Date.now = real;
    }
    await accept(other, 1);
    Date.now = () => real() - 7_200_000;
    try {
      await flush();
    } finally {
      Date.now = real;
    }
    expect((await buffer.owed.totals(0)).oldestAgeMs).to.be.within(0, 60_000);
  });

  it("leave out what MySQL refused, and gain it when it lands", async () => {
    await accept(chat, 2);
    await flush("messages", [2]);
    expect([...(await owedOf(chat)).keys()]).to.deep.equal([1]);
    const [letter] = await buffer.deadLetters.list(0, 0, 1);
    await buffer.deadLetters.requeue(letter?.id ?? "");
    await flush();
    expect([...(await owedOf(chat)).keys()].sort()).to.deep.equal([1, 2]);
  });

  it("are owed under a greater sequence after each change, and after a deletion", async () => {
    await accept(chat, 1);
    await flush();
    const sequences = [(await owedOf(chat)).get(1) ?? 0];
    for (const change of [{ text: "changed" }, { isDeleted: true }]) {
      const place = { ...chat, number: 1 };
      const seen = await buffer.reads.find(place);
      if (seen.kind !== "absent") throw new Error(seen.kind);
      const record = { ...newRecord(operationIdOf(1), 1, "body"), revision: "r", ...change };
      expect(await buffer.revising.revise(place, seen, record)).to.deep.equal({ kind: "revised" });
      await flush();
      sequences.push((await owedOf(chat)).get(1) ?? 0);
    }
    expect(sequences).to.deep.equal([...new Set(sequences)].sort((a, b) => a - b));
    expect(sequences[0]).to.be.greaterThan(0);
    expect((await buffer.owed.totals(0)).documents).to.equal(1);
  });

  it("leave when they are settled, but for one that was owed again since", async () => {
    await accept(chat, 3);
    await flush();
    const read = asMessages(await owedOf(chat));
    await buffer.owed.owe(0, [{ ...chat, number: 2 }]);
    await buffer.owed.settle(0, read);
    expect([...(await owedOf(chat)).keys()]).to.deep.equal([2]);
    expect((await buffer.owed.totals(0)).documents).to.equal(1);
    await buffer.owed.settle(0, asMessages(await owedOf(chat)));
    expect(await buffer.owed.chats(0, 10)).to.deep.equal([]);
    expect(await buffer.owed.totals(0)).to.deep.equal({ documents: 0, removals: 0, oldestAgeMs: 0 });
  });

  it("settled twice are counted once", async () => {
    await accept(chat, 2);
    await flush();
    const read = asMessages(await owedOf(chat));
    await buffer.owed.settle(0, read);
    await accept(chat, 1);
    await flush();
    await buffer.owed.settle(0, read);
    expect((await buffer.owed.totals(0)).documents).to.equal(1);
  });

  it("of one flush of 5,000 messages are all owed", async function () {
    this.timeout(60_000);
    await accept(chat, 5000);
    await flush();
    expect((await owedOf(chat)).size).to.equal(5000);
  });

  it("beyond their bound are not kept one by one: the partition is behind, until it is caught up", async () => {
    await buffer.owed.owe(
      0,
      Array.from({ length: mostOwed }, (_, at) => ({ ...other, number: at + 1 })),
    );
    expect(await buffer.owed.behind(0)).to.equal(undefined);
    await accept(chat, 2);
    await flush();
    expect((await owedOf(chat)).size).to.equal(0);
    const mark = await buffer.owed.behind(0);
    expect(mark).to.be.a("string");
    await accept(chat, 1);
    await flush();
    await buffer.owed.caughtUp(0, mark ?? "");
    const later = await buffer.owed.behind(0);
    expect(later).to.not.equal(undefined).and.not.equal(mark);
    await buffer.owed.caughtUp(0, later ?? "");
    expect(await buffer.owed.behind(0)).to.equal(undefined);
  });

  it("are given a sequence that grows, whatever the clock and Redis do", async () => {
    const first = await buffer.owed.owe(0);
    const second = await buffer.owed.owe(0);
    expect(second).to.be.greaterThan(first);
    // Two within a millisecond are ahead of the clock; nobody loses data as fast as that.
    await waitFor(() => Date.now() >= second, { what: "the clock to come to the last sequence" });
    await workspace.redis.del(`${workspace.config.redis.namespace}:{0}:meta`);
    expect(await buffer.owed.owe(0)).to.be.at.least(second);
  });

  it("are all in doubt after a loss of data, counts and index both, and not at the first start", async () => {
    expect([await buffer.owed.behind(0), await buffer.dirty.recountOwed(0)]).to.deep.equal([
      undefined,
      undefined,
    ]);
    await beginEpoch(buffer, "second-epoch", 1);
    expect(await buffer.owed.behind(0)).to.be.a("string");
    const mark = (await buffer.dirty.recountOwed(0)) ?? "";
    await buffer.dirty.recounted(0, mark);
    expect(await buffer.dirty.recountOwed(0)).to.equal(undefined);
  });

  it("of a deleted chat or application are a removal, until it is settled", async () => {
    await buffer.owed.oweRemoval(chat);
    await buffer.owed.oweRemoval({ token: "gone" });
    await buffer.owed.oweRemoval(chat);
    expect(await buffer.owed.removals(0, 10)).to.deep.equal([chat, { token: "gone" }]);
    await buffer.owed.settleRemoval(chat);
    expect((await buffer.owed.totals(0)).removals).to.equal(1);
  });

  it("are none where there is no index, and one that is kept later is compared as a whole", async () => {
    const without = await openTestBuffer(workspace, "draining");
    await accept(chat, 2);
    const batch = await without.batches.peek(0, "messages", 0, { maxRows: 10, maxBytes: 1e6 });
    await without.batches.acknowledge(lease, batch, new Map(), new Map());
    await without.owed.oweRemoval(chat);
    without.close();
    expect(await buffer.owed.totals(0)).to.deep.equal({ documents: 0, removals: 0, oldestAgeMs: 0 });
    expect(await buffer.owed.behind(0)).to.be.a("string");
  });
});
