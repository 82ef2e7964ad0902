import { expect } from "chai";
import fc from "fast-check";
import knex from "knex";

import type { Buffer } from "../../src/buffer/buffer.ts";
import { EpochGuard } from "../../src/epoch-guard.ts";
import { createAcceptor } from "../../src/http/accept.ts";
import { createChanger } from "../../src/http/change.ts";
import { createReader } from "../../src/http/read-after-write.ts";
import type { Acceptor, Changer } from "../../src/http/services.ts";
import { countsJob } from "../../src/jobs/counts.ts";
import { unseen } from "../../src/jobs/job.ts";
import { knexSettings } from "../../src/store/connection.ts";
import { openStore, Store } from "../../src/store/store.ts";
import { beginEpoch, openTestBuffer, takeLease } from "../support/buffers.ts";
import { Flushing } from "../support/flushing.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";
import { said } from "../support/said.ts";

const ignore = () => undefined;
const never = new AbortController().signal;
const at = new Date("2026-01-02T03:04:05.678Z");
/** Chats of the test that counts the rows read; a million shows the same and takes minutes to fill. */
const manyChats = Number(process.env["SLUICE_TEST_CHATS"] ?? 30_000);
const dirtyChats = Math.ceil(manyChats / 1000);

describe("Counts", function () {
  this.timeout(600_000);

  let workspace: Workspace;
  let store: Store;
  let buffer: Buffer;
  let flushing: Flushing;
  let accept: Acceptor;
  let change: Changer;

  before(async () => {
    workspace = await openWorkspace();
    store = openStore(workspace.config.database, "writing");
    buffer = await openTestBuffer(workspace, "draining");
    flushing = await Flushing.begin(buffer, store, { lease: await takeLease(buffer, 0, 3_600_000) });
    accept = createAcceptor(buffer, store, new EpochGuard(buffer, store, ignore));
    change = createChanger(buffer, store, createReader(buffer, store));
  });

  after(async () => {
    buffer.close();
    await store.close();
    await workspace.close();
  });

  const count = (all = false, of = store) => countsJob(buffer, of, { all }).run(never, unseen);

  const flush = () => flushing.drain({ thresholds: { chats: 1, messages: 1 }, maxRows: 7 }).run("manual");

  /** What is noted and what a plain COUNT says, of every parent: "noted counted". */
  async function compare(): Promise<Map<string, string>> {
    const [chats] = (await workspace.sql.raw(
      `select c.application_token, c.number, c.messages_count as noted, count(m.number) as counted from chats c
       left join messages m on m.application_token = c.application_token and m.chat_number = c.number
       group by c.application_token, c.number, c.messages_count`,
    )) as [{ application_token: string; number: number; noted: number; counted: number }[]];
    const [applications] = (await workspace.sql.raw(
      `select a.token, a.chats_count as noted, count(c.number) as counted from applications a
       left join chats c on c.application_token = a.token group by a.token, a.chats_count`,
    )) as [{ token: string; noted: number; counted: number }[]];
    return new Map([
      ...chats.map(
        (row) => [`${row.application_token}/${row.number}`, `${row.noted} ${row.counted}`] as const,
      ),
      ...applications.map((row) => [row.token, `${row.noted} ${row.counted}`] as const),
    ]);
  }

  const wrong = async () =>
    [...(await compare())].filter(([, pair]) => pair.split(" ")[0] !== pair.split(" ")[1]);

  it("equal a plain COUNT after any history of posts, deletes and flushes, counted in between", async () => {
    const step = fc.record({
      act: fc.constantFrom(
        "post",
        "post",
        "post",
        "chat",
        "delete",
        "delete chat",
        "flush",
        "remove",
        "count",
      ),
      chat: fc.nat(5),
      number: fc.nat(12),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 120 }), async (taken) => {
        const { token } = (await change.createApplication("counted")).application;
        let counting: Promise<unknown> = Promise.resolve();
        const known = (result: Promise<unknown>) => result.catch(() => undefined);
        for (let nth = 0; nth < 3; nth += 1) await accept.chat(token, said(null));
        for (const { act, chat, number } of taken) {
          if (act === "post") await known(accept.message(token, chat + 1, said("text")));
          else if (act === "chat") await accept.chat(token, said(null));
          else if (act === "delete") await known(change.deleteMessage(token, chat + 1, number + 1));
          else if (act === "delete chat") await known(change.deleteChat(token, chat + 1));
          else if (act === "flush") await flush();
          else if (act === "remove") await flushing.removeSome();
          // Not awaited: it runs while the next steps do.
          else counting = counting.then(() => count());
        }
        await counting;
        await flush();
        while (await flushing.removeSome());
        await count();
        expect(await wrong()).to.deep.equal([]);
        expect(await buffer.dirty.count(0)).to.equal(0);
      }),
      { numRuns: 25 },
    );
    expect((await compare()).size).to.be.above(50);
  });

  it("are all recomputed on demand and after a loss of Redis' data, once", async () => {
    await workspace.sql("chats").update({ messages_count: 77 });
    await workspace.sql("applications").update({ chats_count: 77 });
    await count();
    expect((await wrong()).length).to.be.above(50);
    expect(await count(true)).to.match(/^counted everything, \d+ parents, /);
    expect(await wrong()).to.deep.equal([]);

    await workspace.sql("chats").update({ messages_count: 77 });
    const stored = await store.epochs.read(0);
    if (!stored) throw new Error("no epoch has begun");
    const { losses } = await store.epochs.replace(0, stored, "after-a-loss", 0);
    await beginEpoch(buffer, "after-a-loss", losses);
    expect(await count()).to.match(/^counted everything/);
    expect(await wrong()).to.deep.equal([]);
    expect(await count()).to.equal("recounted 0 dirty parents");
  });

  it("of a chat with more rows than a statement may read are exact", async () => {
    const large = { application_token: "large", operation_id: "operation", created_at: at, updated_at: at };
    await workspace.sql("applications").insert({ token: "large", name: "l", created_at: at, updated_at: at });
    await workspace.sql("chats").insert({ ...large, number: 1 });
    const numbers = Array.from({ length: 23_456 }, (_, nth) => 2 * nth + 1);
    const rows = numbers.map((number) => ({ ...large, chat_number: 1, number, body: "" }));
    await workspace.sql.batchInsert("messages", rows, 2000);
    await store.counts.recount([{ token: "large", chatNumber: 1 }, { token: "large" }], never);
    expect((await compare()).get("large/1")).to.equal("23456 23456");
    expect((await compare()).get("large")).to.equal("1 1");
  });

  it(`of ${dirtyChats} dirty chats among ${manyChats} cost the rows of the ${dirtyChats}`, async () => {
    const token = "many";
    const row = { application_token: token, operation_id: "operation", created_at: at, updated_at: at };
    await workspace.sql("applications").insert({ token, name: token, created_at: at, updated_at: at });
    for (let from = 1; from <= manyChats; from += 5000) {
      const length = Math.min(5000, manyChats - from + 1);
      const chats = Array.from({ length }, (_, nth) => ({ ...row, number: from + nth }));
      await workspace.sql("chats").insert(chats);
    }
    const dirty = Array.from(
      { length: dirtyChats },
      (_, nth) => 1 + Math.floor((nth * (manyChats - 1)) / dirtyChats),
    );
    for (const chat of dirty) {
      for (let nth = 0; nth < 5; nth += 1) await accept.message(token, chat, said("text"));
    }
    await flush();
    // One connection, whose own counters say what it has read.
    const pool = knex({
      ...knexSettings(workspace.config.database, "writing"),
      pool: { min: 1, max: 1 },
    });
    const rowsRead = async () => {
      const [counters] = (await pool.raw("show session status like 'Handler_read%'")) as [
        { Value: string }[],
      ];
      return counters.reduce((sum, { Value }) => sum + Number(Value), 0);
    };
    const before = await rowsRead();
    expect(await count(false, new Store(pool))).to.equal(`recounted ${dirtyChats} dirty parents`);
    const read = (await rowsRead()) - before;
    await pool.destroy();
    console.log(`        ${read} rows read`);
    expect(read).to.be.below(dirtyChats * (5 + 20));
    const rows: { messages_count: number }[] = await workspace
      .sql("chats")
      .where("application_token", token)
      .whereIn("number", dirty)
      .select("messages_count");
    expect(rows.map((one) => one.messages_count)).to.deep.equal(Array(dirtyChats).fill(5));
  });
});
