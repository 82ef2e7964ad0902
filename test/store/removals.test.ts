import { expect } from "chai";

import type { Buffer } from "../../src/buffer/buffer.ts";
import { Keys } from "../../src/buffer/keys.ts";
import { EpochGuard } from "../../src/epoch-guard.ts";
import { createAcceptor } from "../../src/http/accept.ts";
import { createChanger } from "../../src/http/change.ts";
import { createReader } from "../../src/http/read-after-write.ts";
import type { Acceptor, Changer } from "../../src/http/services.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { openTestBuffer } from "../support/buffers.ts";
import { claimedFlush, Flushing } from "../support/flushing.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";
import { said } from "../support/said.ts";

const ignore = () => undefined;
const at = new Date("2026-01-02T03:04:05.678Z");
const upTo = (count: number) => Array.from({ length: count }, (_, nth) => nth + 1);

describe("Removing what lies beneath what was deleted", () => {
  let workspace: Workspace;
  let store: Store;

  beforeEach(async () => {
    workspace = await openWorkspace();
    store = openStore(workspace.config.database, "writing");
  });

  afterEach(async () => {
    await store.close();
    await workspace.close();
  });

  /** An application in MySQL with chats of so many messages each. */
  async function put(token: string, chats: readonly number[]): Promise<void> {
    const { sql } = workspace;
    await sql("applications").insert({ token, name: token, created_at: at, updated_at: at });
    for (const [nth, messages] of chats.entries()) {
      const row = { application_token: token, operation_id: "operation", created_at: at, updated_at: at };
      await sql("chats").insert({ ...row, number: nth + 1 });
      const rows = upTo(messages).map((number) => ({ ...row, chat_number: nth + 1, number, body: "body" }));
      if (rows.length > 0) await sql.batchInsert("messages", rows, 1000);
    }
  }

  /** How many messages each chat of an application has. */
  async function messagesOf(token: string): Promise<Record<number, number>> {
    const rows: unknown = await workspace
      .sql("messages")
      .where({ application_token: token })
      .groupBy("chat_number")
      .select("chat_number")
      .count({ count: "*" });
    const counted = rows as { chat_number: number; count: number }[];
    return Object.fromEntries(counted.map((row) => [row.chat_number, row.count]));
  }

  const countOf = async (table: string) =>
    ((await workspace.sql(table).count({ count: "*" }).first()) as { count: number }).count;

  async function stepsOf(removal: { token: string; chatNumber: number | undefined }): Promise<number[]> {
    const [removed, flush] = [[] as number[], await claimedFlush(store)];
    for (let isDone = false; !isDone;) {
      const before = (await countOf("messages")) + (await countOf("chats"));
      isDone = await store.removals.step(removal, 1000, flush);
      removed.push(before - (await countOf("messages")) - (await countOf("chats")));
    }
    return removed;
  }

  it("takes 3,500 messages of several chats in steps of at most 1,000 rows, and nothing else", async () => {
    await put("doomed", [1500, 1999, 1, 0]);
    await put("neighbour", [20, 3]);
    expect(await store.applications.delete("doomed")).to.equal(true);
    expect(await store.removals.list(10)).to.deep.equal([{ token: "doomed", chatNumber: undefined }]);
    const removed = await stepsOf({ token: "doomed", chatNumber: undefined });
    expect(Math.max(...removed)).to.be.at.most(1000);
    expect(removed.reduce((total, rows) => total + rows, 0)).to.equal(3504);
    expect(removed).to.have.length.within(5, 8);
    expect([await messagesOf("doomed"), await messagesOf("neighbour")]).to.deep.equal([{}, { 1: 20, 2: 3 }]);
    expect(await workspace.sql("chats").select("application_token", "number")).to.deep.equal([
      { application_token: "neighbour", number: 1 },
      { application_token: "neighbour", number: 2 },
    ]);
    expect(await store.removals.list(10)).to.deep.equal([]);
  });

  it("takes one chat's messages and leaves the chat beside it", async () => {
    await put("application", [2500, 30]);
    const removal = { token: "application", chatNumber: 1 };
    await workspace
      .sql("removals")
      .insert({ application_token: "application", chat_number: 1, created_at: at });
    await workspace.sql("chats").where({ application_token: "application", number: 1 }).delete();
    expect(await stepsOf(removal)).to.deep.equal([1000, 1000, 500, 0]);
    expect(await messagesOf("application")).to.deep.equal({ 2: 30 });
    expect(await store.removals.list(10)).to.deep.equal([]);
  });

  it("goes on where another process left it, and does no harm when repeated after its end", async () => {
    await put("doomed", [3500]);
    await store.applications.delete("doomed");
    const removal = { token: "doomed", chatNumber: undefined };
    const flush = await claimedFlush(store);
    for (let step = 0; step < 2; step += 1)
      expect(await store.removals.step(removal, 1000, flush)).to.equal(false);
    expect(await messagesOf("doomed")).to.deep.equal({ 1: 1500 });
    const other = openStore(workspace.config.database, "writing");
    try {
      expect(await other.removals.list(10)).to.deep.equal([removal]);
      let steps = 0;
      while (!(await other.removals.step(removal, 1000, flush))) steps += 1;
      expect(steps).to.be.within(2, 4);
      expect(await other.removals.step(removal, 1000, flush)).to.equal(true);
      expect([await countOf("messages"), await countOf("chats")]).to.deep.equal([0, 0]);
      expect(await other.removals.list(10)).to.deep.equal([]);
    } finally {
      await other.close();
    }
  });

  it("shows nobody what is still to be removed", async () => {
    await put("doomed", [5]);
    await put("kept", [5]);
    await store.applications.delete("doomed");
    await workspace.sql("chats").where({ application_token: "kept", number: 1 }).delete();
    const slice = { order: "asc", cursor: undefined, limit: 10, except: [] } as const;
    expect(await store.reads.chats.find(["doomed"], 1)).to.equal(undefined);
    for (const token of ["doomed", "kept"]) {
      expect(await store.reads.messages.find([token, 1], 1)).to.equal(undefined);
      expect(await store.reads.messages.slice([token, 1], slice)).to.deep.equal([]);
      expect(await store.numbers.under({ token, chatNumber: 1 })).to.equal(undefined);
    }
    expect(await store.numbers.under({ token: "doomed" })).to.equal(undefined);
  });

  describe("by the flusher", () => {
    let buffer: Buffer;
    let flushing: Flushing;
    let keys: Keys;
    let accept: Acceptor;
    let change: Changer;

    beforeEach(async () => {
      keys = new Keys(workspace.config.redis.namespace, 1);
      buffer = await openTestBuffer(workspace, "draining");
      flushing = await Flushing.begin(buffer, store);
      accept = createAcceptor(buffer, store, new EpochGuard(buffer, store, ignore));
      change = createChanger(buffer, store, createReader(buffer, store));
    });

    afterEach(() => {
      buffer.close();
    });

    async function flush(): Promise<void> {
      const settings = { thresholds: { chats: 10, messages: 10 }, maxRows: 1000 };
      await flushing.drain(settings).run("minute");
    }

    /** As after an hour without anything pending. */
    async function forgetCounter(parent: { token: string; chatNumber?: number }): Promise<void> {
      expect(await workspace.redis.ttl(keys.counter(parent))).to.be.greaterThan(0);
      await workspace.redis.del(keys.counter(parent));
    }

    async function marks(token: string): Promise<unknown> {
      const application: unknown = await workspace
        .sql("applications")
        .where({ token })
        .first({ mark: "last_chat_number" });
      const chats: unknown = await workspace
        .sql("chats")
        .where({ application_token: token })
        .orderBy("number")
        .select("number", { mark: "last_message_number" });
      return { application, chats };
    }

    it("is one bounded step a call, until nothing is left", async () => {
      const { application } = await change.createApplication("doomed");
      const { token } = application;
      await accept.chat(token, said(null));
      await flush();
      const row = { application_token: token, chat_number: 1, body: "body", operation_id: "operation" };
      const rows = upTo(3500).map((number) => ({ ...row, number, created_at: at, updated_at: at }));
      await workspace.sql.batchInsert("messages", rows, 1000);
      await change.deleteApplication(token);
      const left: number[] = [];
      while (await flushing.removeSome()) left.push(await countOf("messages"));
      expect(left.slice(0, 4)).to.deep.equal([2500, 1500, 500, 0]);
      expect([await countOf("chats"), await store.removals.list(10)]).to.deep.equal([0, []]);
      expect(await workspace.redis.ttl(keys.counter({ token }))).to.be.greaterThan(3600);
      expect(await flushing.removeSome()).to.equal(false);
    });

    it("lets marks grow with each deletion, and a reloaded counter gives no deleted number again", async () => {
      const { token } = (await change.createApplication("marks")).application;
      for (const number of [1, 2, 3]) expect((await accept.chat(token, said(null))).number).to.equal(number);
      for (const number of [1, 2, 3]) {
        expect((await accept.message(token, 1, said("body"))).number).to.equal(number);
      }
      await flush();
      await change.deleteMessage(token, 1, 3);
      await change.deleteChat(token, 3);
      await flush();
      while (await flushing.removeSome());
      expect(await marks(token)).to.deep.equal({
        application: { mark: 3 },
        chats: [
          { number: 1, mark: 3 },
          { number: 2, mark: 0 },
        ],
      });
      await change.deleteMessage(token, 1, 1);
      await change.deleteChat(token, 2);
      await flush();
      while (await flushing.removeSome());
      expect(await marks(token)).to.deep.equal({
        application: { mark: 3 },
        chats: [{ number: 1, mark: 3 }],
      });
      await forgetCounter({ token });
      await forgetCounter({ token, chatNumber: 1 });
      expect((await accept.chat(token, said(null))).number).to.equal(4);
      expect((await accept.message(token, 1, said("body"))).number).to.equal(4);
    });

    it("keeps the number of a record that was deleted before it was ever written", async () => {
      const { token } = (await change.createApplication("marks")).application;
      for (const number of [1, 2]) expect((await accept.chat(token, said(null))).number).to.equal(number);
      for (const number of [1, 2]) {
        expect((await accept.message(token, 1, said("body"))).number).to.equal(number);
      }
      await change.deleteMessage(token, 1, 2);
      await change.deleteChat(token, 2);
      await flush();
      while (await flushing.removeSome());
      await forgetCounter({ token });
      await forgetCounter({ token, chatNumber: 1 });
      expect((await accept.chat(token, said(null))).number).to.equal(3);
      expect((await accept.message(token, 1, said("body"))).number).to.equal(3);
    });
  });
});
