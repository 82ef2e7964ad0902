import { expect } from "chai";

import { openTestBuffer } from "../support/buffers.ts";
import { waitFor } from "../support/wait-for.ts";
import {
  chat,
  deleted,
  edited,
  first,
  original,
  RevisingStage,
  sizeOf,
  textOf,
  token,
} from "./revising-stage.ts";

describe("Revising through the buffer", () => {
  let stage: RevisingStage;

  beforeEach(async () => {
    stage = await RevisingStage.open();
  });

  afterEach(async () => {
    await stage.close();
  });

  describe("a pending record", () => {
    beforeEach(() => stage.beginPending());

    it("replaces it in its place, with its bytes counted anew", async () => {
      expect(
        await stage.revise(first, await stage.look(first), edited("a longer text than it was")),
      ).to.equal("revised");
      expect(await stage.look(first)).to.deep.include({
        kind: "pending",
        record: edited("a longer text than it was"),
      });
      expect(await stage.references("messages")).to.deep.equal([`${token}:1:1`]);
      expect(await stage.bytes()).to.equal(sizeOf(original, edited("a longer text than it was")));
      expect(await stage.revise(first, await stage.look(first), edited("short"))).to.equal("revised");
      expect(await stage.bytes()).to.equal(sizeOf(original, edited("short")));
    });

    it("is refused where it is no longer what was seen", async () => {
      const seen = await stage.look(first);
      await stage.revise(first, seen, edited("first"));
      expect(await stage.revise(first, seen, edited("second"))).to.equal("changed");
      expect(textOf(await stage.look(first))).to.equal("first");
      const again = await stage.look(first);
      await stage.flush("messages");
      expect(await stage.revise(first, again, edited("third"))).to.equal("changed");
    });

    it("is refused where nothing was seen and there is something", async () => {
      const { version } = await stage.look(first);
      expect(await stage.revise(first, { kind: "absent", version }, edited("late"))).to.equal("changed");
      expect(textOf(await stage.look(first))).to.equal("as accepted");
    });

    it("lets one of many at a time through", async () => {
      const seen = await stage.look(first);
      const replies = await Promise.all(
        Array.from({ length: 50 }, (_, at) => stage.revise(first, seen, edited(`change ${at}`, `r${at}`))),
      );
      expect(replies.filter((reply) => reply === "revised")).to.have.lengthOf(1);
      expect(textOf(await stage.look(first))).to.equal(`change ${replies.indexOf("revised")}`);
    });

    it("that is deleted is seen by nobody, and still given to the flush", async () => {
      expect(await stage.revise(first, await stage.look(first), deleted())).to.equal("revised");
      expect(await stage.look(first)).to.have.nested.property("record.isDeleted", true);
      const page = await stage.buffer.reads.page(chat, {
        order: "asc",
        cursor: undefined,
        skip: 0,
        limit: 9,
      });
      expect(page).to.deep.include({ pendingCount: 0, lowest: 1, records: [] });
      const { entries } = await stage.peek("messages");
      expect(entries.map(({ number, origin, record }) => [number, origin, record.isDeleted])).to.deep.equal([
        [1, "pending", true],
      ]);
      await stage.flush("messages");
      expect(await stage.bytes()).to.equal(sizeOf(original));
      expect((await stage.look(first)).kind).to.equal("absent");
      expect(await stage.accept(chat)).to.equal(2);
    });
  });

  describe("a stored record", () => {
    beforeEach(async () => {
      await stage.beginPending();
      await stage.flush("chats");
      await stage.flush("messages");
    });

    it("lists a revision of it, once however often it changes, and leaves nothing after its flush", async () => {
      const seen = await stage.look(first);
      expect(seen.kind).to.equal("absent");
      expect(await stage.revise(first, seen, edited("one"))).to.equal("revised");
      expect(await stage.look(first)).to.deep.include({ kind: "revision", record: edited("one") });
      expect(await stage.revise(first, await stage.look(first), edited("two"))).to.equal("revised");
      expect(await stage.references("messages")).to.deep.equal([`${token}:1:1:r`]);
      expect(await stage.bytes()).to.equal(sizeOf(edited("two")));
      await stage.flush("messages");
      expect([(await stage.look(first)).kind, await stage.bytes()]).to.deep.equal(["absent", 0]);
      expect(await stage.workspace.redis.exists(stage.keys.revisions(chat))).to.equal(0);
    });

    it("keeps its parent's counter from leaving Redis until it is flushed", async () => {
      const ttl = () => stage.workspace.redis.ttl(stage.keys.counter(chat));
      expect(await ttl()).to.be.greaterThan(0);
      await stage.revise(first, await stage.look(first), edited("one"));
      expect(await ttl()).to.equal(-1);
      await stage.flush("messages");
      expect(await ttl()).to.be.greaterThan(0);
    });

    it("is refused where a revision was flushed since: MySQL says something else by then", async () => {
      const before = await stage.look(first);
      await stage.revise(first, before, edited("one"));
      expect(await stage.revise(first, before, edited("two"))).to.equal("changed");
      await stage.flush("messages");
      expect((await stage.look(first)).kind).to.equal("absent");
      expect(await stage.revise(first, before, edited("two"))).to.equal("changed");
      expect(await stage.revise(first, await stage.look(first), edited("two"))).to.equal("revised");
    });

    it("is not refused for a flush of new records", async () => {
      const before = await stage.look(first);
      await stage.accept(chat, "another", 2);
      await stage.flush("messages");
      expect(await stage.revise(first, before, edited("one"))).to.equal("revised");
    });
  });

  it("wakes a flusher at each multiple of the threshold, and not at changes in place", async () => {
    await stage.beginPending();
    await stage.flush("messages");
    const own = await openTestBuffer(stage.workspace, "draining", { thresholds: { chats: 2, messages: 2 } });
    const wakes: string[] = [];
    try {
      await own.onWake((_partition, reason) => wakes.push(reason));
      // The first call speaks of the connection; it says nothing of a list.
      await waitFor(() => wakes.length === 1, { what: "the subscription" });
      wakes.length = 0;
      await stage.revise(first, await stage.look(first), edited("one"), own);
      await stage.revise(first, await stage.look(first), edited("two"), own);
      const second = { ...chat, number: 2 };
      await stage.revise(second, await stage.look(second), edited("three"), own);
      await own.wake(0, "manual");
      await waitFor(() => wakes.includes("manual"), { what: "the last wake-up" });
      expect(wakes).to.deep.equal(["threshold", "manual"]);
    } finally {
      own.close();
    }
  });

  describe("with no room left", () => {
    it("refuses a change that grows, and takes one that does not, or deletes", async () => {
      await stage.beginPending();
      const tight = await openTestBuffer(stage.workspace, "draining", {
        maxBytes: (await stage.bytes()) + 10,
      });
      const long = edited("x".repeat(100), "r");
      expect(await stage.revise(first, await stage.look(first), long, tight)).to.equal("full");
      expect(textOf(await stage.look(first))).to.equal("as accepted");
      expect(await stage.bytes()).to.equal(2 * sizeOf(original));
      expect(await stage.revise(first, await stage.look(first), edited("short", "r"), tight)).to.equal(
        "revised",
      );
      expect(await stage.revise(first, await stage.look(first), deleted(), tight)).to.equal("revised");
      tight.close();
    });
  });
});
