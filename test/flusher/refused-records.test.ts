import { expect } from "chai";

import { EpochGuard } from "../../src/epoch-guard.ts";
import { createAcceptor } from "../../src/http/accept.ts";
import { operationIdOf, requestOf } from "../support/requests.ts";
import {
  chat,
  DeadLetterStage,
  type Seen,
  token,
  tooLongTitle,
  wholeList,
  year20000,
} from "./dead-letter-stage.ts";
import { said } from "../support/said.ts";

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);
const noticed = "a record became a dead letter; see `sluice dead-letters`";

describe("A record that MySQL refuses,", () => {
  let stage: DeadLetterStage;

  beforeEach(async () => {
    stage = await DeadLetterStage.open();
  });

  afterEach(async () => {
    await stage.close();
  });

  it("among 1,000, lets the other 999 land in the same drain, and stays readable", async () => {
    await stage.accept({ token }, "chat");
    for (const number of upTo(1000)) {
      expect(await stage.accept(chat, `body ${number}`, number === 640 ? year20000 : 1000)).to.equal(number);
    }
    const beforeMs = Date.now();
    await stage.drain();
    const stored = (await stage.workspace.sql("messages").select("number").orderBy("number")) as Seen[];
    expect(stored.map(({ number }) => number)).to.deep.equal(upTo(1000).filter((number) => number !== 640));

    const letter = await stage.onlyLetter();
    expect(letter).to.deep.include({ ...chat, number: 640, reason: "ER_TRUNCATED_WRONG_VALUE" });
    expect(letter.record).to.deep.include({ text: "body 640", createdAtMs: year20000, isDeleted: false });
    expect(letter.diedAt.getTime()).to.be.within(beforeMs, Date.now());
    const { pending, pendingBytes } = await stage.buffer.totals.read(0);
    expect(pending).to.deep.equal({ chats: 0, messages: 0 });
    expect(pendingBytes).to.equal(requestOf(operationIdOf(1), "body 640", year20000).payload.length);
    expect([
      await stage.total("refused"),
      await stage.total("rows:minute"),
      await stage.total("conflicts"),
    ]).to.deep.equal([1, 1000, 0]);
    expect(stage.errors).to.deep.equal([noticed]);

    const found = await stage.buffer.reads.find({ ...chat, number: 640 });
    expect(found).to.deep.include({ kind: "dead", record: letter.record });
    expect((await stage.read.message(token, 1, 640)).body).to.equal("body 640");
    for (const order of ["asc", "desc"] as const) {
      const whole = order === "asc" ? upTo(1000) : upTo(1000).reverse();
      const byPage: number[] = [];
      for (const number of upTo(10)) {
        const { items } = await stage.read.messages(token, 1, {
          start: { kind: "page", number },
          perPage: 100,
          order,
        });
        byPage.push(...items.map((item) => item.number));
      }
      expect(byPage).to.deep.equal(whole);
    }
  });

  it("is written when it is tried again and MySQL takes it by then", async () => {
    await stage.accept({ token }, "chat");
    await stage.workspace.sql.raw("alter table messages modify body varchar(5) not null");
    const number = await stage.accept(chat, "longer than that");
    await stage.drain();
    expect(await stage.onlyLetter()).to.deep.include({ number, reason: "ER_DATA_TOO_LONG" });
    await stage.workspace.sql.raw("alter table messages modify body mediumtext not null");
    await stage.buffer.deadLetters.requeue((await stage.onlyLetter()).id);
    await stage.drain();
    expect(await stage.storedText("message", number)).to.equal("longer than that");
    await stage.expectNothingLeft();
  });

  it("and was changed while it was being refused is tried anew in its new form", async () => {
    await stage.accept({ token }, "chat");
    const number = await stage.accept(chat, "refused", year20000);
    await stage.drain();
    await stage.buffer.deadLetters.requeue((await stage.onlyLetter()).id);
    const batch = await stage.buffer.batches.peek(0, "messages", 0, { maxRows: 10, maxBytes: 1e6 });
    await stage.revise("message", number, stage.kind("message").mended);
    const deaths = new Map(
      batch.entries.map((entry) => [entry, { kind: "refused" as const, reason: "ER_DATA_TOO_LONG" }]),
    );
    expect(
      await stage.buffer.batches.acknowledge(stage.flushing.lease, batch, deaths, new Map()),
    ).to.deep.equal({
      kind: "acknowledged",
      changed: 1,
    });
    expect(await stage.letters()).to.deep.equal([]);
    await stage.drain();
    expect(await stage.storedText("message", number)).to.equal("mended");
    await stage.expectNothingLeft();
  });

  it("leaves no record of it where its chat is deleted, and can still be discarded", async () => {
    await stage.accept({ token }, "chat");
    await stage.accept(chat, "refused", year20000);
    await stage.drain();
    await stage.change.deleteChat(token, 1);
    await stage.drain();
    const letter = await stage.onlyLetter();
    expect(letter.record).to.equal(undefined);
    expect((await stage.buffer.totals.read(0)).pendingBytes).to.equal(0);
    expect(await stage.buffer.deadLetters.discard(letter.id)).to.equal(true);
    await stage.expectNothingLeft();
  });

  it("keeps a chat's count of messages where its change was refused", async () => {
    await stage.accept({ token }, "chat");
    await stage.drain();
    await stage.workspace.sql("chats").update({ messages_count: 7 });
    await stage.revise("chat", 1, { text: tooLongTitle });
    expect((await stage.read.chat(token, 1)).messagesCount).to.equal(7);
    await stage.drain();
    expect((await stage.read.chat(token, 1)).messagesCount).to.equal(7);
    expect((await stage.read.chats(token, wholeList)).items[0]?.messagesCount).to.equal(7);
  });

  it("that was discarded does not give its number away after the counter left Redis as idle", async () => {
    await stage.accept({ token }, "chat");
    await stage.accept(chat, "stored");
    const number = await stage.accept(chat, "refused", year20000);
    await stage.drain();
    await stage.buffer.deadLetters.discard((await stage.onlyLetter()).id);
    await stage.drain();
    // A change of another message lets the counter go in time.
    await stage.revise("message", 1, { text: "changed" });
    await stage.drain();
    expect(await stage.workspace.redis.ttl(stage.keys.counter(chat))).to.be.greaterThan(0);
    await stage.workspace.redis.del(stage.keys.counter(chat));
    const stored = await stage.store.numbers.under(chat);
    expect(stored?.greatest).to.be.at.least(number);
  });

  it("is a chat whose messages are still read after they were flushed", async () => {
    await stage.accept({ token }, tooLongTitle);
    await stage.accept(chat, "of a dead chat");
    await stage.drain();
    expect((await stage.read.message(token, 1, 1)).body).to.equal("of a dead chat");
    expect((await stage.read.messages(token, 1, wholeList)).items).to.have.lengthOf(1);
  });

  it("is a chat whose messages go on being numbered after its counter left Redis as idle", async () => {
    await stage.accept({ token }, tooLongTitle);
    await stage.accept(chat, "first of a dead chat");
    await stage.drain();
    const counter = stage.keys.counter(chat);
    if ((await stage.workspace.redis.ttl(counter)) > 0) await stage.workspace.redis.del(counter);
    const epochs = new EpochGuard(stage.buffer, stage.store, () => undefined);
    const accept = createAcceptor(stage.buffer, stage.store, epochs);
    expect((await accept.message(token, 1, said("second"))).number).to.be.greaterThan(1);
  });
});
