import { expect } from "chai";

import { openStore, type Store } from "../../src/store/store.ts";
import { chat, DeadLetterStage, statusOf, token, tooLongTitle, wholeList } from "./dead-letter-stage.ts";

describe("A chat that MySQL refuses", () => {
  let stage: DeadLetterStage;
  const stores: Store[] = [];

  beforeEach(async () => {
    stage = await DeadLetterStage.open();
  });

  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    await stage.close();
  });

  const reply = () =>
    stage.buffer.accepting.accept(chat, { payload: "2|operation-id-00||=0||text", createdAtMs: 0 });
  const storedMessages = async () => (await stage.workspace.sql("messages").select("number")).length;

  describe("a change of", () => {
    beforeEach(async () => {
      await stage.accept({ token }, "as stored");
      await stage.accept(chat, "before the refusal");
      await stage.drain();
      await stage.revise("chat", 1, { text: tooLongTitle });
      await stage.drain();
      expect(await stage.letters()).to.have.lengthOf(1);
    });

    it("lets its messages land as before", async () => {
      await stage.accept(chat, "after the refusal");
      await stage.drain();
      expect(await storedMessages()).to.equal(2);
      expect(await stage.letters()).to.have.lengthOf(1);
    });

    it("shows none of its messages once its user has deleted it", async () => {
      await stage.change.deleteChat(token, 1);
      expect(await statusOf(stage.read.message(token, 1, 1))).to.equal(404);
      expect(await statusOf(stage.read.messages(token, 1, wholeList))).to.equal(404);
    });

    it("goes with it when it is deleted, and leaves nothing", async () => {
      await stage.change.deleteChat(token, 1);
      expect(await statusOf(stage.read.chat(token, 1))).to.equal(404);
      await stage.drain();
      expect(await stage.letters()).to.deep.equal([]);
      expect(await stage.storedText("chat", 1)).to.equal(undefined);
      await stage.expectNothingLeft();
    });

    it("lets its counter go in time once it is discarded", async () => {
      const application = stage.keys.counter({ token });
      expect(await stage.workspace.redis.ttl(application)).to.equal(-1);
      await stage.buffer.deadLetters.discard((await stage.onlyLetter()).id);
      expect(await stage.workspace.redis.ttl(application)).to.be.greaterThan(0);
    });
  });

  for (const when of ["before", "after"] as const) {
    it(`accepts no message once it is discarded, ${when} the next flush`, async () => {
      await stage.accept({ token }, tooLongTitle);
      await stage.accept(chat, "of a dead chat");
      await stage.drain();
      const letters = await stage.letters();
      const id = letters.find(({ chatNumber }) => chatNumber === undefined)?.id ?? "";
      expect(await stage.buffer.deadLetters.discard(id)).to.equal(true);
      if (when === "after") await stage.drain();
      expect(await reply()).to.deep.equal({ kind: "deleted-parent" });
      expect(await statusOf(stage.read.message(token, 1, 1))).to.equal(404);
      expect(await statusOf(stage.read.messages(token, 1, wholeList))).to.equal(404);
      await stage.drain();
      expect(await storedMessages()).to.equal(0);
      expect((await stage.buffer.totals.read(0)).pendingBytes).to.equal(0);
    });
  }

  it("shows none of its messages once its user has deleted it", async () => {
    await stage.accept({ token }, tooLongTitle);
    await stage.accept(chat, "of a dead chat");
    await stage.drain();
    await stage.change.deleteChat(token, 1);
    expect(await statusOf(stage.read.message(token, 1, 1))).to.equal(404);
    expect(await statusOf(stage.read.messages(token, 1, wholeList))).to.equal(404);
    expect(await reply()).to.deep.equal({ kind: "deleted-parent" });
  });

  it("keeps the mark of its deletion for as long as MySQL does not know of it", async () => {
    await stage.accept({ token }, "chat");
    await stage.drain();
    await stage.change.deleteChat(token, 1);
    expect(await stage.workspace.redis.ttl(stage.keys.counter(chat))).to.equal(-1);
    await stage.drain();
    expect(await stage.workspace.redis.ttl(stage.keys.counter(chat))).to.be.greaterThan(0);
    expect(await reply()).to.deep.equal({ kind: "deleted-parent" });
  });

  it("lets the mark of its deletion go in time where its application was deleted meanwhile", async () => {
    await stage.accept({ token }, "chat");
    await stage.change.deleteChat(token, 1);
    await stage.change.deleteApplication(token);
    await stage.drain();
    expect(await stage.workspace.redis.ttl(stage.keys.counter(chat))).to.be.greaterThan(0);
  });

  it("has no message written beneath it where it was changed meanwhile, and is listed for another try", async () => {
    await stage.accept({ token }, tooLongTitle);
    for (let nth = 0; nth < 10; nth += 1) await stage.accept(chat, "of a chat that is still refused");
    const changed = async () => stage.revise("chat", 1, { text: `${tooLongTitle}!` });
    await stage.drain(refusing(changed), "threshold");
    expect(await storedMessages()).to.equal(0);
    await stage.drain();
    expect(await storedMessages()).to.equal(0);
    expect((await stage.buffer.totals.read(0)).deadLetters).to.equal(11);
  });

  it("has its messages written where it was mended meanwhile, and is listed for another try", async () => {
    await stage.accept({ token }, tooLongTitle);
    for (let nth = 0; nth < 10; nth += 1) await stage.accept(chat, "of a chat that is mended");
    await stage.drain(
      refusing(async () => stage.revise("chat", 1, { text: "mended" })),
      "threshold",
    );
    expect(await stage.storedText("chat", 1)).to.equal("mended");
    expect(await storedMessages()).to.equal(10);
    await stage.expectNothingLeft();
  });

  /** A store whose first refusal of a chat is heard of after somebody else did something. */
  function refusing(meanwhile: () => Promise<void>): Store {
    const store = openStore(stage.workspace.config.database, "writing");
    stores.push(store);
    const { writes } = store;
    const write = writes.writeChats.bind(writes);
    let isFirst = true;
    writes.writeChats = async (...args) =>
      write(...args).catch(async (error: unknown) => {
        if (isFirst) await meanwhile();
        isFirst = false;
        throw error;
      });
    return store;
  }
});
