import { expect } from "chai";

import type { Buffer } from "../../src/buffer/buffer.ts";
import { openTestBuffer } from "../support/buffers.ts";
import { BatchStage, chat, numbersOf, token, upTo } from "./batch-stage.ts";

describe("Pending batches acknowledged", () => {
  let stage: BatchStage;

  beforeEach(async () => {
    stage = await BatchStage.open();
  });

  afterEach(async () => {
    await stage.close();
  });

  it("leave exactly what was not read", async () => {
    await stage.acceptMessages(30);
    const batch = await stage.peek(0, { maxRows: 10, maxBytes: 1_000_000 });
    await stage.acceptMessages(5);
    expect(await stage.acknowledge(batch, new Map([["rows:minute", 10]]))).to.deep.equal({
      kind: "acknowledged",
      changed: 0,
    });
    expect(numbersOf(await stage.peek())).to.deep.equal(upTo(25, 11));
    expect(await stage.numbersIn(stage.keys.pending(chat))).to.deep.equal(upTo(25, 11));
    expect((await stage.buffer.totals.read(0)).flushed.get("rows:minute")).to.equal(10);
  });

  it("a second time are told to have moved, and take nothing with them", async () => {
    await stage.acceptMessages(20);
    const batch = await stage.peek(0, { maxRows: 10, maxBytes: 1_000_000 });
    const totals = new Map([["rows:minute", 10]]);
    await stage.acknowledge(batch, totals);
    expect(await stage.acknowledge(batch, totals)).to.deep.equal({ kind: "moved" });
    expect(numbersOf(await stage.peek())).to.deep.equal(upTo(10, 11));
    expect((await stage.buffer.totals.read(0)).flushed.get("rows:minute")).to.equal(10);
  });

  it("a second time, the list being empty by now, take nothing with them", async () => {
    await stage.acceptMessages(10);
    const batch = await stage.peek();
    await stage.acknowledge(batch);
    expect(await stage.acknowledge(batch)).to.deep.equal({ kind: "moved" });
  });

  it("a second time forget no record that changed in flight, nor one accepted meanwhile", async () => {
    await stage.acceptMessages(3);
    const batch = await stage.peek();
    await stage.change(1, "another body");
    expect(await stage.acknowledge(batch)).to.deep.equal({ kind: "acknowledged", changed: 1 });
    await stage.acceptMessages(1);
    await stage.acknowledge(batch);
    expect(await stage.forgotten()).to.deep.equal([]);
    expect(numbersOf(await stage.peek()).sort()).to.deep.equal([1, 4]);
  });

  it("a second time take nothing with them where the list begins and ends with the same references again", async () => {
    await stage.acceptMessages(4);
    await stage.acknowledge(await stage.peek());
    for (const number of [1, 2, 3]) await stage.changeStored(number, "changed");
    const batch = await stage.peek();
    expect(await stage.acknowledge(batch)).to.deep.equal({ kind: "acknowledged", changed: 0 });
    for (const number of [1, 4, 3]) await stage.changeStored(number, "changed again");
    expect(await stage.acknowledge(batch)).to.deep.equal({ kind: "moved" });
    expect(await stage.forgotten()).to.deep.equal([]);
    expect(numbersOf(await stage.peek())).to.deep.equal([1, 4, 3]);
  });

  it("under a lost lease take nothing with them", async () => {
    await stage.acceptMessages(10);
    const batch = await stage.peek();
    await stage.buffer.leases.release(stage.lease);
    const next = await stage.buffer.leases.acquire(0, "another", 60_000);
    expect(next).to.not.equal(undefined);
    expect(await stage.acknowledge(batch, new Map([["rows:minute", 10]]))).to.deep.equal({
      kind: "lease-lost",
    });
    expect(await stage.peek()).to.deep.equal(batch);
    const { pendingBytes, flushed } = await stage.buffer.totals.read(0);
    expect(pendingBytes).to.be.greaterThan(0);
    expect(flushed.get("rows:minute")).to.equal(undefined);
  });

  it("with nothing in them are nothing", async () => {
    const batch = await stage.peek();
    expect(await stage.acknowledge(batch, new Map([["rows:minute", 1]]))).to.deep.equal({
      kind: "acknowledged",
      changed: 0,
    });
    expect((await stage.buffer.totals.read(0)).flushed.size).to.equal(0);
  });

  it("keep a record that changed after it was read, and list it as a revision", async () => {
    await stage.acceptMessages(5);
    const batch = await stage.peek();
    await stage.change(3, "another body, and a longer one");
    expect(await stage.acknowledge(batch)).to.deep.equal({ kind: "acknowledged", changed: 1 });
    expect(await stage.numbersIn(stage.keys.pending(chat))).to.deep.equal([]);
    expect(await stage.numbersIn(stage.keys.revisions(chat))).to.deep.equal([3]);
    const again = await stage.peek();
    expect(again.references).to.deep.equal([`${token}:1:3:r`]);
    expect(again.entries[0]).to.deep.include({ ...chat, number: 3, origin: "revision" });
    expect(again.entries[0]?.record.text).to.equal("another body, and a longer one");
    expect(await stage.acknowledge(again)).to.deep.equal({ kind: "acknowledged", changed: 0 });
    expect(await stage.length()).to.equal(0);
    expect(await stage.numbersIn(stage.keys.revisions(chat))).to.deep.equal([]);
    expect((await stage.buffer.totals.read(0)).pendingBytes).to.equal(0);
  });

  it("keep a revision that changed again after it was read, once, under its one reference", async () => {
    await stage.acceptMessages(2);
    const batch = await stage.peek();
    await stage.change(1, "first change", "change-1");
    await stage.acknowledge(batch);
    await stage.change(1, "second change", "change-2");
    const revision = await stage.peek();
    await stage.change(1, "third change", "change-3");
    expect(await stage.acknowledge(revision)).to.deep.equal({ kind: "acknowledged", changed: 1 });
    const again = await stage.peek();
    expect(again.references).to.deep.equal([`${token}:1:1:r`]);
    expect(again.entries[0]?.record.text).to.equal("third change");
    expect(await stage.acknowledge(again)).to.deep.equal({ kind: "acknowledged", changed: 0 });
    expect([await stage.length(), (await stage.buffer.totals.read(0)).pendingBytes]).to.deep.equal([0, 0]);
  });

  it("leave the list also where every record of them changed or vanished", async () => {
    await stage.acceptMessages(4);
    const batch = await stage.peek(0, { maxRows: 2, maxBytes: 1_000_000 });
    await stage.change(1, "another body");
    await stage.workspace.redis.hdel(stage.keys.pending(chat), "2");
    expect(await stage.acknowledge(batch)).to.deep.equal({ kind: "acknowledged", changed: 1 });
    expect(numbersOf(await stage.peek())).to.deep.equal([3, 4, 1]);
    await stage.workspace.redis.hdel(stage.keys.pending(chat), "3", "4");
    await stage.workspace.redis.hdel(stage.keys.revisions(chat), "1");
    expect(await stage.acknowledge(await stage.peek())).to.deep.equal({ kind: "acknowledged", changed: 0 });
    expect(await stage.length()).to.equal(0);
  });

  it("do not take a record for unchanged because its text begins alike", async () => {
    await stage.acceptMessages(1, () => "same");
    const batch = await stage.peek();
    await stage.change(1, "same");
    expect(await stage.acknowledge(batch)).to.deep.equal({ kind: "acknowledged", changed: 1 });
    const first = await stage.peek();
    await stage.change(1, "same", "changed-again");
    expect(await stage.acknowledge(first)).to.deep.equal({ kind: "acknowledged", changed: 1 });
  });

  it("read ahead of a batch that is acknowledged meanwhile leave no record forgotten", async () => {
    await stage.acceptMessages(900);
    const limits = { maxRows: 300, maxBytes: 1_000_000 };
    const batch = await stage.peek(0, limits);
    // On a client of its own, that the ack may come between any two of the reads.
    const slow = await openTestBuffer(stage.workspace, "draining");
    afterFirstRead(slow, async () => {
      await stage.acknowledge(batch);
    });
    const ahead = await slow.batches.peek(0, "messages", batch.references.length, limits);
    slow.close();
    await stage.acknowledge(ahead);
    expect(await stage.forgotten()).to.deep.equal([]);
  });

  it("let an idle counter go in time, and hold it again from the next accept", async () => {
    const ttl = () => stage.workspace.redis.ttl(stage.keys.counter(chat));
    await stage.acceptMessages(3);
    expect(await ttl()).to.equal(-1);
    await stage.acknowledge(await stage.peek(0, { maxRows: 2, maxBytes: 1_000_000 }));
    expect(await ttl()).to.equal(-1);
    await stage.acknowledge(await stage.peek());
    expect(await ttl()).to.be.within(3500, 3600);
    await stage.acceptMessages(1);
    expect(await ttl()).to.equal(-1);
    expect(numbersOf(await stage.peek())).to.deep.equal([4]);
  });
});

/** Runs `between` after a buffer's own connection has its first answer about a list. */
function afterFirstRead(buffer: Buffer, between: () => Promise<void>): void {
  const name = "sluice-read-list";
  type Script = (...args: unknown[]) => Promise<unknown>;
  const connection = buffer.connection as unknown as Record<typeof name, Script>;
  const read = connection[name].bind(connection);
  let reads = 0;
  connection[name] = async (...args) => {
    const answer = await read(...args);
    reads += 1;
    if (reads === 1) await between();
    return answer;
  };
}
