import { expect } from "chai";
import { escape } from "mysql2";

import type { Batch } from "../../src/buffer/batch.ts";
import { messages } from "../../src/store/tables.ts";
import { seed } from "../support/buffers.ts";
import { operationIdOf, requestOf } from "../support/requests.ts";
import { BatchStage, chat, numbersOf, token, upTo } from "./batch-stage.ts";

describe("Pending batches peeked at", () => {
  let stage: BatchStage;

  beforeEach(async () => {
    stage = await BatchStage.open();
  });

  afterEach(async () => {
    await stage.close();
  });

  it("stay where they are, in the order in which they were accepted", async () => {
    await stage.acceptMessages(250);
    const first = await stage.peek();
    expect(numbersOf(first)).to.deep.equal(upTo(250));
    expect(first.references).to.deep.equal(upTo(250).map((number) => `${token}:1:${number}`));
    expect(first.entries[41]).to.deep.include({ ...chat, number: 42 });
    expect(first.entries[41]?.record).to.deep.include({ text: "body 42", operationId: operationIdOf(42) });
    expect(await stage.peek()).to.deep.equal(first);
    expect(await stage.length()).to.equal(250);
  });

  it("begin after what is skipped, and hold at most as many rows as asked for", async () => {
    await stage.acceptMessages(350);
    for (const [skip, maxRows] of [
      [0, 1],
      [0, 100],
      [0, 101],
      [7, 250],
      [100, 100],
      [349, 10],
    ] as const) {
      const batch = await stage.peek(skip, { maxRows, maxBytes: 1_000_000 });
      expect(numbersOf(batch)).to.deep.equal(upTo(Math.min(maxRows, 350 - skip), skip + 1));
    }
    expect(numbersOf(await stage.peek(350))).to.deep.equal([]);
  });

  it("keep the order of many parents", async () => {
    await seed(stage.buffer, { token: "another", chatNumber: 9 }, 0);
    const parents = [chat, { token: "another", chatNumber: 9 }];
    for (const at of upTo(20))
      await stage.buffer.accepting.accept(parents[at % 2] ?? chat, requestOf(operationIdOf(at), `${at}`));
    expect((await stage.peek()).entries.map(({ record }) => Number(record.text))).to.deep.equal(upTo(20));
  });

  for (const [what, count, maxBytes, text] of [
    ["all bodies are big", 300, 150_000, () => "x".repeat(1000)],
    ["big bodies follow small ones", 600, 500_000, (at) => (at <= 100 ? "small" : "x".repeat(10_000))],
    ["few bodies fill them", 60, 200_000, () => "x".repeat(50_000)],
    ["each byte may be escaped", 300, 100_000, () => "'\\\0".repeat(300)],
    ["bodies are of many bytes a character", 300, 100_000, () => "😀".repeat(200)],
  ] as [string, number, number, (at: number) => string][]) {
    it(`fill a statement of the bytes asked for and do not exceed it, where ${what}`, async () => {
      await stage.acceptMessages(count, text);
      const batch = await stage.peek(0, { maxRows: 1000, maxBytes });
      expect(numbersOf(batch)).to.deep.equal(upTo(batch.entries.length));
      const next = await stage.peek(batch.entries.length, { maxRows: 1, maxBytes: 1 });
      expect(statementBytes(batch)).to.be.at.most(maxBytes);
      // The buffer reckons with two bytes for each, and as many again for what is not text.
      expect(2 * (statementBytes(batch) + statementBytes(next)) + 160 * (count + 1)).to.be.above(maxBytes);
    });
  }

  it("hold at least one record, be it larger than the bytes asked for", async () => {
    await stage.acceptMessages(3, () => "x".repeat(10_000));
    expect((await stage.peek(0, { maxRows: 1000, maxBytes: 100 })).entries.length).to.be.at.least(1);
  });

  it("count a record that has vanished among the references only", async () => {
    await stage.acceptMessages(5);
    await stage.workspace.redis.hdel(stage.keys.pending(chat), "2", "4");
    const batch = await stage.peek();
    expect(numbersOf(batch)).to.deep.equal([1, 3, 5]);
    expect(batch.references).to.have.lengthOf(5);
    expect(await stage.acknowledge(batch)).to.deep.equal({ kind: "acknowledged", changed: 0 });
    expect(await stage.length()).to.equal(0);
  });
});

/** Bytes of the statement that writes a batch, its values escaped as the driver does. */
function statementBytes({ entries }: Batch): number {
  const rows = entries.map((entry) =>
    messages.valuesOf(entry).map((value) => escape(value as string | Date)),
  );
  return Buffer.byteLength(rows.join("),("));
}
