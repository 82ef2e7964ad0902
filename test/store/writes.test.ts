import { expect } from "chai";

import { newRecord } from "../../src/records/records.ts";
import { throughContention } from "../../src/store/contention.ts";
import { EpochChangedError, type FencedFlush, FencedOffError } from "../../src/store/fence.ts";
import { NotUniqueError } from "../../src/store/failure.ts";
import { nothingWritten, rowsIn, sumOutcomes } from "../../src/store/outcome.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import type { NewRow } from "../../src/store/tables.ts";
import { claimedFlush } from "../support/flushing.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

function message(
  number: number,
  body: string,
  operationId = `operation${String(number).padStart(7, "0")}`,
): NewRow {
  const createdAtMs = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
  const record = { ...newRecord(operationId, createdAtMs, body), updatedAtMs: createdAtMs + 1 };
  return { token: "token", chatNumber: 7, number, origin: "pending", record };
}

describe("Writing to MySQL", () => {
  let workspace: Workspace;
  let store: Store;
  let flush: FencedFlush;

  before(async () => {
    workspace = await openWorkspace();
    store = openStore(workspace.config.database, "writing");
  });

  beforeEach(async () => {
    await workspace.sql("messages").delete();
    flush = await claimedFlush(store);
  });

  after(async () => {
    await store.close();
    await workspace.close();
  });

  const stored = async () =>
    (await workspace.sql("messages").select("number", "body").orderBy("number")) as object[];

  it("inserts rows and gives back times to the millisecond", async () => {
    const times = { created_at: new Date(), updated_at: new Date() };
    await workspace.sql("applications").insert({ token: "token", name: "writes", ...times });
    await workspace
      .sql("chats")
      .insert({ application_token: "token", number: 7, operation_id: "chat-7", ...times });
    const outcome = await store.writes.writeMessages([message(2, "two"), message(1, "one")], flush);
    expect(outcome).to.deep.equal({ ...nothingWritten, inserted: 2 });
    const read = await store.reads.messages.find(["token", 7], 1);
    expect(read).to.deep.equal({
      number: 1,
      body: "one",
      fields: { sender: null, metadata: null },
      createdAt: new Date("2026-01-02T03:04:05.678Z"),
      updatedAt: new Date("2026-01-02T03:04:05.679Z"),
    });
  });

  it("writes nothing twice when a batch comes again, alone or with new rows", async () => {
    await store.writes.writeMessages([message(1, "one"), message(2, "two")], flush);
    const again = await store.writes.writeMessages([message(1, "one"), message(2, "two")], flush);
    expect(again).to.deep.equal({ ...nothingWritten, alreadyThere: 2 });
    const more = await store.writes.writeMessages([message(2, "two"), message(3, "three")], flush);
    expect(more).to.deep.equal({ ...nothingWritten, inserted: 1, alreadyThere: 1 });
    expect(await stored()).to.deep.equal([
      { number: 1, body: "one" },
      { number: 2, body: "two" },
      { number: 3, body: "three" },
    ]);
  });

  it("tells a replayed row from another record with the same number, and keeps the first", async () => {
    await store.writes.writeMessages([message(1, "one")], flush);
    const other = message(1, "another", "another-operatio");
    const outcome = await store.writes.writeMessages([other, message(2, "two")], flush);
    expect(outcome).to.deep.equal({ ...nothingWritten, inserted: 1, conflicts: [other] });
    expect(await stored()).to.deep.equal([
      { number: 1, body: "one" },
      { number: 2, body: "two" },
    ]);
  });

  it("takes a whole batch again after an unacknowledged commit", async () => {
    const rows = Array.from({ length: 1000 }, (_, at) => message(at + 1, `body ${at}`));
    await store.writes.writeMessages(rows, flush);
    const again = await store.writes.writeMessages(rows, flush);
    expect(again).to.deep.equal({ ...nothingWritten, alreadyThere: 1000 });
  });

  for (const [what, ofRow] of [
    ["new", (row: NewRow) => row],
    [
      "changed before its flush",
      (row: NewRow) => ({ ...row, record: { ...row.record, revision: "changed" } }),
    ],
  ] as const) {
    it(`accounts for each row once for every writer where several write the same at a time, each ${what}`, async () => {
      const writers = Array.from({ length: 4 }, () =>
        Array.from({ length: 50 }, (_, at) => ofRow(message(at + 1, `body ${at}`))),
      );
      const outcomes = await Promise.all(
        writers.map((rows) => throughContention(() => store.writes.writeMessages(rows, flush))),
      );
      const sum = outcomes.reduce(sumOutcomes);
      expect([rowsIn(sum), sum.inserted, sum.conflicts]).to.deep.equal([200, 50, []]);
      expect(await stored()).to.have.lengthOf(50);
    });
  }

  describe("under a UNIQUE index that is not Sluice's", () => {
    before(() =>
      workspace.sql.raw("alter table messages add unique key one_body (application_token, body(9))"),
    );
    after(() => workspace.sql.raw("alter table messages drop key one_body"));

    const failureOf = (write: Promise<unknown>) =>
      write.then(() => undefined).catch((error: unknown) => error);

    it("says of a row that it refuses, and leaves nothing of its statement", async () => {
      await store.writes.writeMessages([message(1, "one")], flush);
      const rows = [message(1, "one"), message(2, "one"), message(3, "three")];
      const failure = await failureOf(store.writes.writeMessages(rows, flush));
      expect(failure).to.be.instanceOf(NotUniqueError);
      expect(failure).to.include({ code: "ER_DUP_ENTRY", errno: 1062 });
      expect(await stored()).to.deep.equal([{ number: 1, body: "one" }]);
    });

    it("tells replays and conflicts as ever", async () => {
      await store.writes.writeMessages([message(1, "one"), message(2, "two")], flush);
      const other = message(2, "another", "another-operatio");
      const rows = [message(1, "one"), other, message(3, "three")];
      const outcome = await store.writes.writeMessages(rows, flush);
      expect(outcome).to.deep.equal({ ...nothingWritten, inserted: 1, alreadyThere: 1, conflicts: [other] });
    });
  });

  describe("under a lease, counted", () => {
    const mark = { epoch: "epoch", flushSequence: 8, committed: 7, accepted: 20, pending: 3, touched: 5 };
    const flush = { partition: 0, lease: "held", mark, confirm: () => undefined };

    beforeEach(async () => {
      await workspace.sql("partitions").delete();
      await store.epochs.begin(0, { epoch: "epoch", flushSequence: 7, losses: 0 });
      await store.writes.claim(flush);
    });

    const sequence = async () => (await store.epochs.read(0))?.flushSequence;

    it("notes the count with the rows, also where all of them are there already", async () => {
      await store.writes.writeMessages([message(1, "one")], flush);
      expect(await sequence()).to.equal(8);
      expect(await store.epochs.lastFlush(0)).to.include({ accepted: 20, pending: 3 });
      const again = { ...flush, mark: { ...mark, flushSequence: 9 } };
      expect(await store.writes.writeMessages([message(1, "one")], again)).to.include({ alreadyThere: 1 });
      expect(await sequence()).to.equal(9);
    });

    it("notes no count that is behind, and writes its rows", async () => {
      const behind = { ...flush, mark: { ...mark, flushSequence: 6 } };
      await store.writes.writeMessages([message(1, "one")], behind);
      expect([await sequence(), (await stored()).length]).to.deep.equal([7, 1]);
    });

    for (const [what, other] of [
      ["is of another epoch", { epoch: "other" }],
      ["has forgotten a flush", { committed: 8 }],
    ] as const) {
      it(`writes nothing where MySQL ${what}`, async () => {
        const failure: unknown = await store.writes
          .writeMessages([message(1, "one")], { ...flush, mark: { ...mark, ...other } })
          .catch((error: unknown) => error);
        expect(failure).to.be.instanceOf(EpochChangedError);
        expect([await sequence(), await stored()]).to.deep.equal([7, []]);
      });
    }

    it("leaves neither where the count may be lost, or another lease was claimed", async () => {
      const lost = new Error("lost");
      const confirm = () => {
        throw lost;
      };
      const failures: unknown[] = [];
      const note = (error: unknown) => void failures.push(error);
      await store.writes.writeMessages([message(1, "one")], { ...flush, confirm }).catch(note);
      await store.writes.claim({ ...flush, lease: "another" });
      await store.writes.writeMessages([message(1, "one")], flush).catch(note);
      expect(failures[0]).to.equal(lost);
      expect(failures[1]).to.be.instanceOf(FencedOffError);
      expect([await sequence(), await stored()]).to.deep.equal([7, []]);
    });
  });

  it("takes any text for a value, and gives it back", async () => {
    const texts = [
      "?",
      "??",
      ":name",
      "\\?",
      "\\",
      "'",
      "''); drop table messages; --",
      '"',
      "\0\b\t\n\r\x1a",
      "é😀%_",
    ];
    await store.writes.writeMessages(
      texts.map((text, at) => message(at + 1, text)),
      flush,
    );
    expect(await stored()).to.deep.equal(texts.map((body, at) => ({ number: at + 1, body })));
  });
});
