import { expect } from "chai";

import { checkInvariants } from "../../src/invariants.ts";
import { createAcceptor } from "../../src/http/accept.ts";
import { EpochGuard } from "../../src/epoch-guard.ts";
import { letAnHourPass } from "../support/hour.ts";
import { chat, DeadLetterStage, statusOf, token, tooLongTitle, year20000 } from "./dead-letter-stage.ts";
import { said } from "../support/said.ts";

const content = "a message";

describe("Dead letters", () => {
  let stage: DeadLetterStage;

  beforeEach(async () => {
    stage = await DeadLetterStage.open();
  });

  afterEach(() => stage.close());

  const findings = async () => (await checkInvariants(stage.buffer, stage.store, { settleMs: 100 })).findings;

  const acceptor = () =>
    createAcceptor(stage.buffer, stage.store, new EpochGuard(stage.buffer, stage.store, () => undefined));

  async function removeAll(): Promise<void> {
    while (await stage.flushing.removeSome());
  }

  describe("beneath a refused chat", () => {
    for (const [what, deleteIt] of Object.entries({
      "an operator discards it": (id: string) => stage.buffer.deadLetters.discard(id),
      "a client deletes it": () => stage.change.deleteMessage(token, 1, 1),
    }))
      it(`keep the number of a message, which MySQL cannot know, when ${what}`, async () => {
        await stage.accept({ token }, tooLongTitle);
        await stage.accept(chat, "of a refused chat");
        await stage.drain();
        const letters = await stage.letters();
        expect(letters).to.have.lengthOf(2);
        await deleteIt(letters.find(({ chatNumber }) => chatNumber !== undefined)?.id ?? "");
        await stage.drain();
        expect(await statusOf(stage.read.message(token, 1, 1))).to.equal(404);
        await letAnHourPass(stage.workspace);
        expect(await acceptor().message(token, 1, said(content))).to.include({ number: 2 });
      });
  });

  describe("beneath a deleted application", () => {
    beforeEach(async () => {
      await stage.accept({ token }, "a chat");
      await stage.accept(chat, "fine");
      await stage.drain();
      await stage.accept(chat, "refused", year20000);
      await stage.revise("message", 1, { updatedAtMs: year20000 });
      await stage.drain();
      expect(await stage.letters()).to.have.lengthOf(2);
      await stage.change.deleteApplication(token);
      await stage.drain();
      await removeAll();
    });

    it("are thrown away with it, and so is what was kept of them", async () => {
      expect(await stage.letters()).to.deep.equal([]);
      const { pendingBytes, deadLetters } = await stage.buffer.totals.read(0);
      expect({ pendingBytes, deadLetters }).to.deep.equal({ pendingBytes: 0, deadLetters: 0 });
      expect(await stage.workspace.redis.ttl(stage.keys.counter(chat))).to.be.greaterThan(0);
      expect(await findings()).to.deep.equal([]);
    });

    it("let nothing be read or accepted beneath it once its mark has run out", async () => {
      await stage.workspace.redis.del(stage.keys.counter({ token }), stage.keys.counter(chat));
      expect(await statusOf(acceptor().message(token, 1, said(content)))).to.equal(404);
      expect(await statusOf(stage.read.message(token, 1, 2))).to.equal(404);
      expect(await findings()).to.deep.equal([]);
    });
  });

  describe("that are refused deletions of a chat", () => {
    it("leave the chat and its messages as they were when they are discarded", async () => {
      const { sql } = stage.workspace;
      await stage.accept({ token }, "kept");
      await stage.accept(chat, "its message");
      await stage.drain();
      await sql.raw(
        "create trigger keeps before delete on chats for each row signal sqlstate '45000' set message_text = 'kept'",
      );
      await stage.accept({ token }, "another, which lands");
      await stage.accept(chat, "pending when the chat is deleted");
      await stage.change.deleteChat(token, 1);
      await stage.drain();
      const { id } = await stage.onlyLetter();
      expect(await stage.buffer.deadLetters.discard(id)).to.equal(true);
      await stage.drain();
      expect((await stage.read.chat(token, 1)).title).to.equal("kept");
      expect((await stage.read.message(token, 1, 1)).body).to.equal("its message");
      expect(await acceptor().message(token, 1, said(content))).to.include({ number: 3 });
      expect(await findings()).to.deep.equal([]);
    });
  });
});
