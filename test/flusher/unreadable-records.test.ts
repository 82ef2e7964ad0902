import { expect } from "chai";

import { DeadLetterStage, chat, statusOf, token, wholeList } from "./dead-letter-stage.ts";

describe("What nobody can read", () => {
  let stage: DeadLetterStage;

  beforeEach(async () => {
    stage = await DeadLetterStage.open();
    // Payloads and lists are damaged by hand.
    stage.workspace.expectFindings("counter-bytes", "partition-bytes", "stray");
    await stage.accept({ token }, "chat");
    await stage.accept(chat, "before");
  });

  afterEach(async () => {
    await stage.close();
  });

  /** Damages a payload, leaving its length; answers what it is then. */
  async function damage(hash: string, number: number): Promise<string> {
    const payload = (await stage.workspace.redis.hget(hash, String(number))) ?? "";
    const damaged = payload.replaceAll("|", "!");
    await stage.workspace.redis.hset(hash, number, damaged);
    return damaged;
  }

  for (const kind of ["chat", "message"] as const) {
    describe(`as the payload of a new ${kind}`, () => {
      let number: number;
      let garbage: string;

      beforeEach(async () => {
        const { parent } = stage.kind(kind);
        number = await stage.accept(parent, "to be damaged");
        await stage.accept(parent, "after");
        garbage = await damage(stage.keys.pending(parent), number);
        await stage.drain();
      });

      it("holds up nobody: its neighbours land with the same flush", async () => {
        expect(await stage.storedText(kind, number - 1)).to.equal(kind === "chat" ? "chat" : "before");
        expect(await stage.storedText(kind, number + 1)).to.equal("after");
      });

      it("is kept as it is, a dead letter that says why, and told at error level", async () => {
        const letter = await stage.onlyLetter();
        expect(letter).to.include({ number, token, unreadable: garbage, record: undefined });
        expect(letter.reason).to.match(/^unreadable: /);
        expect([stage.errors.length, await stage.total("refused")]).to.deep.equal([1, 1]);
      });

      it("is no record for readers, and its number is not given again, also after its counter left", async () => {
        const own = stage.kind(kind);
        expect(await statusOf(own.read(number))).to.equal(404);
        expect((await own.list(wholeList)).map((one) => one.number)).to.deep.equal([number - 1, number + 1]);
        await stage.drain();
        // What was written after it would keep its number as well.
        await stage.workspace
          .sql(own.table)
          .where(own.row(number + 1))
          .delete();
        await stage.workspace.redis.del(stage.keys.counter(own.parent));
        const stored =
          kind === "chat"
            ? await stage.store.numbers.under({ token })
            : await stage.store.numbers.under({ token, chatNumber: 1 });
        expect(stored?.greatest).to.equal(number);
      });

      it("cannot be tried again, and leaves nothing when it is discarded", async () => {
        const { id } = await stage.onlyLetter();
        expect(await stage.buffer.deadLetters.requeue(id)).to.equal(false);
        expect(await stage.buffer.deadLetters.discard(id)).to.equal(true);
        expect(await stage.buffer.deadLetters.discard(id)).to.equal(false);
        await stage.drain();
        await stage.expectNothingLeft();
      });
    });
  }

  it("as the payload of a change leaves the row as it was", async () => {
    await stage.drain();
    await stage.revise("message", 1, { text: "changed", revision: "r" });
    const garbage = await damage(stage.keys.revisions(chat), 1);
    await stage.drain();
    expect(await stage.storedText("message", 1)).to.equal("before");
    expect(await stage.kind("message").read(1)).to.deep.equal({ number: 1, text: "before" });
    const letter = await stage.onlyLetter();
    expect(letter).to.include({ ...chat, number: 1, unreadable: garbage });
    await stage.buffer.deadLetters.discard(letter.id);
    await stage.expectNothingLeft();
  });

  it("as an entry of a list is set aside, once, and the rest of the list lands", async () => {
    const list = stage.keys.list(0, "messages");
    await stage.workspace.redis.lpush(list, "a:b:c:d", "");
    await stage.workspace.redis.rpush(list, "a:b:c:d");
    await stage.drain();
    expect(await stage.storedText("message", 1)).to.equal("before");
    const letters = await stage.letters();
    expect(letters.map(({ unreadable }) => unreadable).sort()).to.deep.equal(["", "a:b:c:d"]);
    for (const { id, reason, number } of letters) {
      expect([reason, number]).to.deep.equal(["unreadable: no reference to a record", undefined]);
      expect(await stage.buffer.deadLetters.requeue(id)).to.equal(false);
      expect(await stage.buffer.deadLetters.discard(id)).to.equal(true);
    }
    await stage.expectNothingLeft();
  });

  it("because a later version of Sluice wrote it stays where it is, with what follows it", async () => {
    await stage.accept(chat, "from a newer API");
    await stage.accept(chat, "after");
    const newer = "9999|of a form that is still to come";
    await stage.workspace.redis.hset(stage.keys.pending(chat), 2, newer);
    const failure: unknown = await stage.drain().catch((error: unknown) => error);
    expect(failure).to.be.an("error").with.property("name", "OtherVersionError");
    expect(await stage.storedText("message", 1)).to.equal("before");
    expect(await stage.letters()).to.deep.equal([]);
    expect((await stage.buffer.totals.read(0)).pending.messages).to.equal(2);
    expect(await stage.workspace.redis.hget(stage.keys.pending(chat), "2")).to.equal(newer);
  });

  it("because a later version of Sluice wrote it, a chat, lets no message land that was accepted after it", async () => {
    const newer = await stage.accept({ token }, "from a newer API");
    await stage.accept({ token, chatNumber: newer }, "in it");
    await stage.workspace.redis.hset(
      stage.keys.pending({ token }),
      newer,
      "9999|of a form that is still to come",
    );
    const failure: unknown = await stage.drain().catch((error: unknown) => error);
    expect(failure).to.be.an("error").with.property("name", "OtherVersionError");
    expect(await stage.storedText("chat", 1)).to.equal("chat");
    expect(await stage.workspace.sql("messages").select("body")).to.deep.equal([]);
    expect((await stage.buffer.totals.read(0)).pending).to.deep.equal({ chats: 1, messages: 2 });
  });
});
