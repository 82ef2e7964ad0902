import { expect } from "chai";

import { seed } from "../support/buffers.ts";
import { application, chat, deleted, edited, first, RevisingStage, sizeOf, token } from "./revising-stage.ts";

describe("Deleting through the buffer", () => {
  let stage: RevisingStage;

  beforeEach(async () => {
    stage = await RevisingStage.open();
  });

  afterEach(async () => {
    await stage.close();
  });

  describe("of a chat", () => {
    const place = { token, number: 1 };

    it("takes its pending messages and their changes with it, and accepts none from then on", async () => {
      await stage.beginPending();
      await stage.accept(chat, "second", 2);
      await stage.flush("messages");
      await stage.revise(first, await stage.look(first), edited("changed"));
      await stage.accept(chat, "third", 3);
      expect(await stage.revise(place, await stage.look(place), deleted())).to.equal("revised");
      expect(await stage.bytes()).to.equal(2 * sizeOf(deleted()));
      expect(
        await stage.workspace.redis.exists(stage.keys.pending(chat), stage.keys.revisions(chat)),
      ).to.equal(0);
      expect(await stage.buffer.reads.find(first)).to.deep.equal({ kind: "gone" });
      const page = { order: "asc", cursor: undefined, skip: 0, limit: 9 } as const;
      expect(await stage.buffer.reads.page(chat, page)).to.equal("gone");
      expect(await stage.accept(chat)).to.equal("deleted-parent");
      const seen = { kind: "absent", version: "" } as const;
      expect(await stage.revise(first, seen, edited("late"))).to.equal("gone");
      expect((await stage.peek("messages")).entries).to.deep.equal([]);
      await stage.flush("messages");
      await stage.flush("chats");
      expect(await stage.bytes()).to.equal(0);
      expect(await stage.accept(chat)).to.equal("deleted-parent");
      expect(await stage.workspace.redis.ttl(stage.keys.counter(chat))).to.be.within(3500, 3600);
      expect(await stage.accept(application)).to.equal(2);
    });

    it("does not come back when a batch that was read before is acknowledged", async () => {
      await stage.beginPending();
      const [chats, messages] = [await stage.peek("chats"), await stage.peek("messages")];
      await stage.revise(place, await stage.look(place), deleted());
      for (const batch of [chats, messages]) {
        await stage.acknowledge(batch);
      }
      expect(await stage.accept(chat)).to.equal("deleted-parent");
      const { entries } = await stage.peek("chats");
      expect(entries.map(({ origin, record }) => [origin, record.isDeleted])).to.deep.equal([
        ["revision", true],
      ]);
      await stage.flush("chats");
      expect(await stage.bytes()).to.equal(0);
      expect(
        await stage.workspace.redis.keys(`${stage.workspace.config.redis.namespace}:{0}:pending:*`),
      ).to.deep.equal([]);
    });

    it("leaves another chat's messages alone", async () => {
      await stage.beginPending();
      await stage.accept(application);
      const other = { token, chatNumber: 2 };
      await stage.accept(other);
      await stage.revise(place, await stage.look(place), deleted());
      expect((await stage.look({ ...other, number: 1 })).kind).to.equal("pending");
      expect(await stage.accept(other)).to.equal(2);
    });
  });

  describe("of an application", () => {
    beforeEach(async () => {
      await stage.beginPending();
      await stage.accept({ token }, "another chat", 2);
      await seed(stage.buffer, { token: "another" }, 0);
      await stage.accept({ token: "another" });
      await stage.buffer.revising.markDeleted({ token }, "ever");
    });

    it("accepts, finds and lists nothing of it, and leaves others alone", async () => {
      expect([await stage.accept(application), await stage.accept(chat)]).to.deep.equal([
        "deleted-parent",
        "deleted-parent",
      ]);
      expect(await stage.buffer.accepting.beginLoad(application, "ticket")).to.deep.equal({
        kind: "deleted-parent",
      });
      const load = { ticket: "ticket", epoch: "first-epoch" };
      expect(await stage.buffer.accepting.seed(application, load, 9)).to.equal("deleted-parent");
      expect((await stage.buffer.reads.find({ token, number: 1 })).kind).to.equal("gone");
      expect((await stage.buffer.reads.find(first)).kind).to.equal("gone");
      const page = { order: "asc", cursor: undefined, skip: 0, limit: 9 } as const;
      for (const parent of [application, chat]) {
        expect(await stage.buffer.reads.page(parent, page)).to.equal("gone");
      }
      const seen = { kind: "absent", version: "" } as const;
      expect(await stage.revise({ token, number: 1 }, seen, edited("late"))).to.equal("gone");
      expect(await stage.revise(first, seen, edited("late"))).to.equal("gone");
      expect((await stage.look({ token: "another", number: 1 })).kind).to.equal("pending");
    });

    it("gives its pending messages to the flush as orphans, and is empty after it", async () => {
      const { entries, orphans } = await stage.peek("messages");
      expect([entries, orphans.map(({ number }) => number)]).to.deep.equal([[], [1]]);
      expect((await stage.peek("chats")).entries.map((entry) => entry.token)).to.deep.equal(["another"]);
      await stage.flush("messages");
      await stage.flush("chats");
      expect(await stage.bytes()).to.equal(0);
      const left = await stage.workspace.redis.keys(
        `${stage.workspace.config.redis.namespace}:{0}:*${token}*`,
      );
      expect(left.filter((key) => !key.includes(":counter:"))).to.deep.equal([]);
      expect(await stage.workspace.redis.hget(stage.keys.counter(application), "deleted")).to.equal("1");
    });

    it("keeps its mark for ever, or for as long as it is told", async () => {
      expect(await stage.workspace.redis.ttl(stage.keys.counter(application))).to.equal(-1);
      await stage.buffer.revising.markDeleted({ token }, 500);
      expect(await stage.workspace.redis.ttl(stage.keys.counter(application))).to.be.within(490, 500);
      await stage.buffer.revising.markDeleted({ token }, "ever");
      expect(await stage.workspace.redis.ttl(stage.keys.counter(application))).to.equal(-1);
      await stage.flush("messages");
      expect(await stage.bytes()).to.be.at.least(0);
    });
  });
});
