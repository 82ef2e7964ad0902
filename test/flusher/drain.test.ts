import { expect } from "chai";

import type { Buffer } from "../../src/buffer/buffer.ts";
import { LeaseLostError } from "../../src/flusher/drain-errors.ts";
import { Drain, type DrainParts } from "../../src/flusher/drain.ts";
import type { Clock, FlushLog, Sink, Source } from "../../src/flusher/ports.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { operationIdOf, requestOf } from "../support/requests.ts";
import { emptyEngines, openTestBuffer, seed } from "../support/buffers.ts";
import { Flushing } from "../support/flushing.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const token = "application";
const thresholds = { chats: 10, messages: 10 };

/** Time in which nobody waits. */
const hurried: Clock = {
  nowMs: () => performance.now(),
  sleep: () => new Promise((resolve) => setImmediate(resolve)),
};

const ignore = () => undefined;
const quiet: FlushLog = { debug: ignore, info: ignore, warn: ignore, error: ignore };
describe("A drain", () => {
  let workspace: Workspace;
  let buffer: Buffer;
  let store: Store;
  let flushing: Flushing;
  let stop: AbortController;
  let written: { list: string; rows: number }[];

  before(async () => {
    workspace = await openWorkspace();
    // The application is known to Redis alone.
    workspace.expectFindings("parent-missing");
    store = openStore(workspace.config.database, "writing");
    buffer = await openTestBuffer(workspace, "draining", { thresholds });
  });

  beforeEach(async () => {
    await emptyEngines(workspace);
    await seed(buffer, { token }, 0);
    flushing = await Flushing.begin(buffer, store);
    stop = new AbortController();
    written = [];
  });

  after(async () => {
    buffer.close();
    await store.close();
    await workspace.close();
  });

  function parts(maxRows = 1000): DrainParts & { source: Source; sink: Sink } {
    return {
      source: flushing.source(maxRows),
      sink: {
        async write(list, rows) {
          const outcome = await flushing.sink.write(list, rows);
          written.push({ list, rows: rows.length });
          expect(await messagesWithoutChat()).to.equal(0);
          return outcome;
        },
      },
      clock: hurried,
      log: quiet,
      thresholds,
      maxRows,
      signal: stop.signal,
      isHeld: () => true,
    };
  }

  let serial = 0;
  async function accept(chatNumber?: number): Promise<number> {
    serial += 1;
    const parent = chatNumber === undefined ? { token } : { token, chatNumber };
    const reply = await buffer.accepting.accept(parent, requestOf(operationIdOf(serial), `text ${serial}`));
    if (reply.kind !== "accepted") throw new Error(reply.kind);
    return reply.number;
  }

  async function acceptMany(chats: number, messagesEach: number): Promise<void> {
    for (let chat = 0; chat < chats; chat += 1) {
      const number = await accept();
      for (let message = 0; message < messagesEach; message += 1) await accept(number);
    }
  }

  async function messagesWithoutChat(): Promise<number> {
    const row = (await workspace
      .sql("messages")
      .leftJoin("chats", {
        "chats.application_token": "messages.application_token",
        "chats.number": "messages.chat_number",
      })
      .whereNull("chats.number")
      .count({ count: "*" })
      .first()) as { count: number };
    return row.count;
  }

  const count = async (table: string) =>
    ((await workspace.sql(table).count({ count: "*" }).first()) as { count: number }).count;
  const stored = async () => ({ chats: await count("chats"), messages: await count("messages") });
  const pending = async () => (await buffer.totals.read(0)).pending;

  /** That everything accepted lies in MySQL once, and nothing in the buffer. */
  async function expectAllLanded(chats: number, messagesEach: number): Promise<void> {
    expect(await pending()).to.deep.equal({ chats: 0, messages: 0 });
    expect(await stored()).to.deep.equal({ chats, messages: chats * messagesEach });
  }

  describe("for a threshold", () => {
    it("goes on until the list is below it, and leaves the rest to gather", async () => {
      await acceptMany(1, 35);
      await new Drain(parts(10)).run("threshold");
      expect(await pending()).to.deep.equal({ chats: 0, messages: 5 });
      expect(written.filter(({ list }) => list === "messages")).to.have.lengthOf(3);
    });

    it("takes a whole batch, not as many as the threshold", async () => {
      await acceptMany(1, 35);
      await new Drain(parts()).run("threshold");
      expect(written).to.deep.equal([
        { list: "chats", rows: 1 },
        { list: "messages", rows: 35 },
      ]);
    });

    it("leaves a list alone that is below it", async () => {
      await acceptMany(1, 9);
      expect(await new Drain(parts()).run("threshold")).to.equal(0);
      expect(written).to.deep.equal([]);
    });
  });

  describe("for the minute or a person", () => {
    it("takes everything that waited, be it one record", async () => {
      await acceptMany(1, 1);
      expect(await new Drain(parts()).run("minute")).to.equal(2);
      await expectAllLanded(1, 1);
      const { flushed } = await buffer.totals.read(0);
      expect(flushed.get("rows:minute")).to.equal(2);
      expect(flushed.get("flushes:minute")).to.equal(2);
    });

    it("leaves what comes meanwhile, so that it ends under any load", async () => {
      await acceptMany(1, 30);
      const own = parts(10);
      const drain = new Drain({
        ...own,
        sink: {
          async write(list, rows) {
            for (let more = 0; more < 15; more += 1) await accept(1);
            return own.sink.write(list, rows);
          },
        },
      });
      await drain.run("manual");
      const messages = written.filter(({ list }) => list === "messages");
      expect(messages.length).to.be.within(3, 6);
      expect((await pending()).messages).to.be.greaterThan(0);
    });

    it("writes nothing when nothing waits", async () => {
      expect(await new Drain(parts()).run("minute")).to.equal(0);
      expect(written).to.deep.equal([]);
      expect((await buffer.totals.read(0)).flushed.size).to.equal(0);
    });
  });

  it("flushes one batch at a time when asked for one", async () => {
    await acceptMany(1, 25);
    const drain = new Drain(parts(10));
    const taken: number[] = [];
    for (let round = 0; round < 4; round += 1) taken.push(await drain.flushOnce("messages", "manual"));
    expect(taken).to.deep.equal([10, 10, 5, 0]);
    await expectAllLanded(1, 25);
  });

  describe("of messages whose chats wait too", () => {
    it("writes each chat before its messages, whatever the sizes", async () => {
      for (const maxRows of [1, 7, 1000]) {
        await workspace.sql("messages").delete();
        await workspace.sql("chats").delete();
        await acceptMany(12, 4);
        await new Drain(parts(maxRows)).run("minute");
        expect(await pending()).to.deep.equal({ chats: 0, messages: 0 });
        expect(await stored()).to.deep.equal({ chats: 12, messages: 48 });
      }
    });

    it("writes a chat first that came after the chats were drained", async () => {
      await acceptMany(1, 10);
      const own = parts(5);
      let more = 3;
      const drain = new Drain({
        ...own,
        source: {
          ...own.source,
          async peek(list, skip) {
            if (list === "messages" && more-- > 0) await acceptMany(1, 10);
            return own.source.peek(list, skip);
          },
        },
      });
      await drain.run("threshold");
      await new Drain(parts()).run("minute");
      await expectAllLanded(4, 10);
    });

    it("writes no message without its chat when it is stopped between the two", async () => {
      await acceptMany(3, 5);
      const own = parts(5);
      const drain = new Drain({
        ...own,
        source: {
          ...own.source,
          async peek(list, skip) {
            const batch = await own.source.peek(list, skip);
            if (list === "messages") stop.abort();
            return batch;
          },
        },
      });
      await drain.flushOnce("messages", "manual").catch(() => undefined);
      expect(await messagesWithoutChat()).to.equal(0);
      expect((await stored()).messages + (await pending()).messages).to.equal(15);
    });

    it("writes no message without its chat when it is stopped between two batches of chats", async () => {
      await acceptMany(6, 2);
      const own = parts(2);
      const drain = new Drain({
        ...own,
        source: {
          ...own.source,
          peek: (list, skip) => (list === "chats" ? own : parts(12)).source.peek(list, skip),
        },
        sink: {
          async write(list, rows) {
            if (list === "chats") stop.abort();
            return own.sink.write(list, rows);
          },
        },
      });
      await drain.flushOnce("messages", "manual").catch(() => undefined);
      expect(await messagesWithoutChat()).to.equal(0);
      expect((await stored()).messages + (await pending()).messages).to.equal(12);
    });
  });

  it("removes what it wrote and no more while the next batch is read", async () => {
    await acceptMany(1, 450);
    await new Drain(parts(150)).run("threshold");
    await expectAllLanded(1, 450);
    expect(written.filter(({ list }) => list === "messages")).to.deep.equal(
      [150, 150, 150].map((rows) => ({ list: "messages", rows })),
    );
  });

  it("stops between two batches when its signal aborts, the one in hand finished", async () => {
    await acceptMany(1, 30);
    const own = parts(10);
    const drain = new Drain({
      ...own,
      sink: {
        async write(list, rows) {
          const outcome = await own.sink.write(list, rows);
          if (list === "messages") stop.abort();
          return outcome;
        },
      },
    });
    await drain.run("minute");
    expect(await stored()).to.deep.equal({ chats: 1, messages: 10 });
    expect(await pending()).to.deep.equal({ chats: 0, messages: 20 });
  });

  it("ends when its lease is lost, and removes nothing", async () => {
    await acceptMany(1, 10);
    await buffer.leases.release(flushing.lease);
    await buffer.leases.acquire(0, "another", 60_000);
    const failure: unknown = await new Drain(parts()).run("minute").catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(LeaseLostError);
    expect(await pending()).to.deep.equal({ chats: 1, messages: 10 });
  });
});
