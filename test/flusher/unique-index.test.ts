import { expect } from "chai";

import { seed } from "../support/buffers.ts";
import { chat, DeadLetterStage, token } from "./dead-letter-stage.ts";
import { said } from "../support/said.ts";

describe("A UNIQUE index that is not Sluice's", () => {
  let stage: DeadLetterStage;

  beforeEach(async () => {
    stage = await DeadLetterStage.open();
    await stage.workspace.sql.raw("alter table chats add unique key one_title (application_token, title)");
  });

  afterEach(async () => {
    await stage.close();
  });

  const accept = async (...titles: string[]) => {
    for (const title of titles) await stage.accept({ token }, title);
  };
  const titles = async () => {
    const rows = await stage.workspace
      .sql<{ number: number; title: string }>("chats")
      .orderBy("number")
      .select("number", "title");
    return rows.map(({ number, title }) => `${number} ${title}`);
  };
  const refused = async () => (await stage.letters()).map(({ number = 0 }) => number).sort((a, b) => a - b);

  async function expectNonePending(): Promise<void> {
    expect((await stage.buffer.totals.read(0)).pending).to.deep.equal({ chats: 0, messages: 0 });
  }

  it("refuses one record, which says why, and its neighbours and their messages land", async () => {
    await accept("a", "b", "a", "c");
    await stage.accept(chat, "hello");
    await stage.drain();
    expect(await titles()).to.deep.equal(["1 a", "2 b", "4 c"]);
    expect(await stage.storedText("message", 1)).to.equal("hello");
    const [letter] = await stage.letters();
    expect(letter).to.deep.include({ token, number: 3 });
    expect(letter?.reason).to.match(/^ER_DUP_ENTRY \(1062\): .*one_title/);
    expect(stage.reasons).to.deep.equal(["ER_DUP_ENTRY (1062)"]);
    expect((await stage.read.chat(token, 3)).title).to.equal("a");
    await expectNonePending();
  });

  it("refuses each of several, be there nothing else, and stops nobody who comes later", async () => {
    await accept("a");
    await stage.drain();
    await accept("a", "a");
    await stage.drain();
    expect(await refused()).to.deep.equal([2, 3]);
    await accept("b");
    await stage.drain();
    expect(await titles()).to.deep.equal(["1 a", "4 b"]);
    await expectNonePending();
  });

  it("refuses one that came alone", async () => {
    await accept("a");
    await stage.drain();
    await accept("a");
    await stage.drain();
    expect(await stage.onlyLetter()).to.deep.include({ number: 2, reason: "ER_DUP_ENTRY" });
  });

  it("refuses one change, and the changes and new records beside it land", async () => {
    await accept("a", "b", "c");
    await stage.drain();
    await stage.change.updateChat(token, 2, said("a"));
    await stage.change.updateChat(token, 3, said("changed"));
    await accept("d");
    await stage.drain();
    expect(await titles()).to.deep.equal(["1 a", "2 b", "3 changed", "4 d"]);
    expect(await stage.onlyLetter()).to.deep.include({ number: 2, reason: "ER_DUP_ENTRY" });
    await expectNonePending();
  });

  it("refuses one that was changed before its first flush", async () => {
    await accept("a", "b");
    await stage.change.updateChat(token, 2, said("a"));
    await stage.drain();
    expect(await titles()).to.deep.equal(["1 a"]);
    expect(await stage.onlyLetter()).to.deep.include({ number: 2, reason: "ER_DUP_ENTRY" });
  });

  it("refuses nothing for what a neighbour gives up", async () => {
    await accept("a", "b", "c");
    await stage.drain();
    await stage.change.updateChat(token, 1, said("b"));
    await stage.change.updateChat(token, 2, said("changed"));
    await stage.change.deleteChat(token, 3);
    await accept("c");
    await stage.drain();
    expect(await titles()).to.deep.equal(["1 b", "2 changed", "4 c"]);
    expect(await stage.letters()).to.deep.equal([]);
    await expectNonePending();
  });

  it("takes a dead letter whose user has mended it", async () => {
    await accept("a", "a");
    await stage.drain();
    await stage.change.updateChat(token, 2, said("mended"));
    await stage.drain();
    expect(await titles()).to.deep.equal(["1 a", "2 mended"]);
    await stage.expectNothingLeft();
  });

  it("refuses one message among many, and writes none twice that was there already", async () => {
    await stage.workspace.sql.raw(
      "alter table messages add unique key one_body (application_token, chat_number, body(100))",
    );
    await accept("a");
    await stage.drain();
    await seed(stage.buffer, chat, 0);
    for (const body of ["one", "two", "three", "two", "four"]) await stage.accept(chat, body);
    // As a flusher does that dies before its ack.
    const { entries } = await stage.buffer.batches.peek(0, "messages", 0, { maxRows: 3, maxBytes: 1e6 });
    await stage.flushing.sink.write("messages", entries);
    await stage.drain();
    const stored: unknown = await stage.workspace.sql("messages").orderBy("number").pluck("number");
    expect(stored).to.deep.equal([1, 2, 3, 5]);
    expect(await stage.onlyLetter()).to.deep.include({ ...chat, number: 4, reason: "ER_DUP_ENTRY" });
    await expectNonePending();
  });
});
