import { expect } from "chai";

import type { Buffer as PendingBuffer } from "../../src/buffer/buffer.ts";
import { EpochGuard } from "../../src/epoch-guard.ts";
import { createAcceptor } from "../../src/http/accept.ts";
import { createChanger } from "../../src/http/change.ts";
import { createReader } from "../../src/http/read-after-write.ts";
import type { Acceptor } from "../../src/http/services.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { openTestBuffer, roomyLimits } from "../support/buffers.ts";
import { Flushing } from "../support/flushing.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";
import { said } from "../support/said.ts";

const tables = ["messages", "chats", "applications", "removals", "partitions"] as const;
const gap = roomyLimits.numberGapAfterLoss;

type Copy = ReadonlyMap<string, readonly object[]>;

describe("After losses of data", function () {
  this.timeout(120_000);

  let workspace: Workspace;
  let process: PendingBuffer | undefined;
  let store: Store;
  let accept: Acceptor;
  let token: string;
  /** Stores whose loss was noticed, in order. */
  let losses: string[];
  let guard: EpochGuard;

  beforeEach(async () => {
    workspace = await openWorkspace();
    store = openStore(workspace.config.database, "writing");
    losses = [];
    await startAgain();
    token = await createApplication();
  });

  afterEach(async () => {
    process?.close();
    process = undefined;
    await store.close();
    await workspace.close();
  });

  function buffer(): PendingBuffer {
    if (!process) throw new Error("no process was started");
    return process;
  }

  /** As an API process that is started again: nothing has been compared yet. */
  async function startAgain(): Promise<void> {
    process?.close();
    process = await openTestBuffer(workspace, "draining");
    guard = new EpochGuard(buffer(), store, (loss) => losses.push(loss.store));
    accept = createAcceptor(buffer(), store, guard);
  }

  async function createApplication(): Promise<string> {
    const change = createChanger(buffer(), store, createReader(buffer(), store));
    return (await change.createApplication("losses")).application.token;
  }

  async function drain(): Promise<void> {
    const flushing = await Flushing.begin(buffer(), store, { epochs: guard });
    await flushing.drain({ thresholds: { chats: 1, messages: 1 }, maxRows: 100 }).run("minute");
    await buffer().leases.release(flushing.lease);
  }

  async function emptyRedis(): Promise<void> {
    await workspace.redis.del(await workspace.redis.keys(`${workspace.config.redis.namespace}:*`));
    await startAgain();
  }

  /** Counters that may leave Redis are gone, as after an hour. */
  async function rest(): Promise<void> {
    for (const key of await workspace.redis.keys(`${workspace.config.redis.namespace}:{0}:counter:*`)) {
      if ((await workspace.redis.ttl(key)) > 0) await workspace.redis.del(key);
    }
  }

  async function copyOfMySql(): Promise<Copy> {
    const copy = new Map<string, readonly object[]>();
    for (const table of tables) copy.set(table, (await workspace.sql(table).select()) as object[]);
    return copy;
  }

  async function putBack(copy: Copy): Promise<void> {
    for (const table of tables) {
      await workspace.sql(table).delete();
      for (const row of copy.get(table) ?? []) await workspace.sql(table).insert(row);
    }
  }

  const message = async (chat = 1) => (await accept.message(token, chat, said("body"))).number;
  const chat = async () => (await accept.chat(token, said(null))).number;

  it("of Redis, ten in a row before anything was flushed, no number is given again", async () => {
    await chat();
    const given = { messages: [await message(), await message()], chats: [1] };
    await drain();
    for (let round = 1; round <= 10; round += 1) {
      await emptyRedis();
      given.messages.push(await message(), await message());
      given.chats.push(await chat(), await chat());
    }
    expect(losses).to.deep.equal(Array(10).fill("Redis"));
    for (const numbers of [given.messages, given.chats]) {
      expect(numbers).to.deep.equal([...new Set(numbers)].sort((a, b) => a - b));
    }
    expect(given.messages.slice(0, 4)).to.deep.equal([1, 2, 2 + gap + 1, 2 + gap + 2]);
  });

  it("there is one gap, whoever rests afterwards", async () => {
    await chat();
    await message();
    await drain();
    await emptyRedis();
    expect([await message(), await chat()]).to.deep.equal([gap + 2, gap + 2]);
    await drain();
    await rest();
    expect([await message(), await chat()]).to.deep.equal([gap + 3, gap + 3]);
    expect([await message(gap + 2), await message(gap + 2)]).to.deep.equal([1, 2]);
    await drain();
    await rest();
    expect(await message(gap + 2)).to.equal(3);
  });

  it("a new application begins with 1, also once it has rested", async () => {
    await chat();
    await drain();
    await emptyRedis();
    await chat();
    token = await createApplication();
    expect([await chat(), await message()]).to.deep.equal([1, 1]);
    await drain();
    await rest();
    expect([await chat(), await message()]).to.deep.equal([2, 2]);
  });

  it("of Redis, changes go on under greater sequences, also where the clock that gave the last is no more", async () => {
    const meta = `${workspace.config.redis.namespace}:{0}:meta`;
    await chat();
    await drain();
    const ahead = Date.now() + 3_600_000;
    await workspace.redis.hset(meta, "touched", ahead);
    for (let flush = 1; flush <= 2; flush += 1) {
      await message();
      await drain();
    }
    const last = Number(await workspace.redis.hget(meta, "touched"));
    expect(last).to.be.above(ahead);
    await emptyRedis();
    await message();
    await drain();
    expect(Number(await workspace.redis.hget(meta, "touched"))).to.be.above(last);
  });

  it("of Redis, put back to a copy from before an application was deleted, nothing is accepted beneath it", async () => {
    await chat();
    await drain();
    const copy = new Map<string, Buffer>();
    for (const key of await workspace.redis.keys(`${workspace.config.redis.namespace}:*`)) {
      copy.set(key, await workspace.redis.dumpBuffer(key));
    }
    await createChanger(buffer(), store, createReader(buffer(), store)).deleteApplication(token);
    const flushing = await Flushing.begin(buffer(), store, { epochs: guard });
    while (await flushing.removeSome());
    await emptyRedis();
    for (const [key, value] of copy) await workspace.redis.restore(key, 0, value, "REPLACE");
    const refusal: unknown = await chat().catch((error: unknown) => error);
    expect(refusal).to.include({ status: 404 });
    expect(losses).to.deep.equal(["Redis"]);
  });

  it("of MySQL, put back under running processes, the next flush notices, and lands", async () => {
    await chat();
    await drain();
    const copy = await copyOfMySql();
    const lost = await message();
    await drain();
    await putBack(copy);
    const next = await message();
    await drain();
    expect(losses).to.deep.equal(["MySQL"]);
    expect(next).to.be.above(lost);
    expect(await workspace.sql("messages").select("number")).to.deep.equal([{ number: next }]);
    expect(await message()).to.equal(next + gap + 1);
  });

  it("of MySQL, a parent that has rested is given no number again that MySQL has forgotten", async () => {
    await chat();
    await message();
    await drain();
    const copy = await copyOfMySql();
    const lost = [await message(), await message()];
    await drain();
    await rest();
    await putBack(copy);
    expect(await message()).to.equal(1 + gap + 1);
    expect(losses).to.deep.equal(["MySQL"]);
    expect(lost).to.deep.equal([2, 3]);
  });

  it("of all of MySQL, which is empty but for its tables, the loss is noticed", async () => {
    await chat();
    await drain();
    await workspace.sql("partitions").delete();
    await startAgain();
    await message();
    expect(losses).to.deep.equal(["MySQL"]);
  });
});
