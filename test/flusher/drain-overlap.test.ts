import { expect } from "chai";

import type { Buffer } from "../../src/buffer/buffer.ts";
import { Keys } from "../../src/buffer/keys.ts";
import { LeaseLostError } from "../../src/flusher/drain-errors.ts";
import { Drain } from "../../src/flusher/drain.ts";
import { systemClock } from "../../src/flusher/flusher.ts";
import type { Sink, Source } from "../../src/flusher/ports.ts";
import { OtherVersionError } from "../../src/records/payload.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { emptyEngines, openTestBuffer, seed } from "../support/buffers.ts";
import { Flushing } from "../support/flushing.ts";
import { operationIdOf, requestOf } from "../support/requests.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const token = "application";
const maxRows = 10;
const ignore = () => undefined;
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

describe("A drain of many batches", () => {
  let workspace: Workspace;
  let buffer: Buffer;
  let store: Store;
  let flushing: Flushing;
  let calls: string[];

  before(async () => {
    workspace = await openWorkspace();
    // Payloads are replaced by hand, and the application is known to Redis alone.
    workspace.expectFindings("counter-bytes", "partition-bytes", "parent-missing");
    store = openStore(workspace.config.database, "writing");
    buffer = await openTestBuffer(workspace, "draining");
  });

  beforeEach(async () => {
    await emptyEngines(workspace);
    await seed(buffer, { token }, 0);
    flushing = await Flushing.begin(buffer, store);
    calls = [];
    for (let chat = 1; chat <= 30; chat += 1) {
      await buffer.accepting.accept({ token }, requestOf(operationIdOf(chat), null));
    }
  });

  after(async () => {
    buffer.close();
    await store.close();
    await workspace.close();
  });

  /** A drain that notes what it calls; the first number of a batch names it. */
  function notedDrain(over: { source?: Partial<Source>; sink?: Sink } = {}): Drain {
    const own = flushing.source(maxRows);
    const source: Source = {
      ...own,
      acknowledge(batch, deaths, totals) {
        calls.push(`ack ${batch.entries[0]?.number}`);
        return own.acknowledge(batch, deaths, totals);
      },
      ...over.source,
    };
    const sink: Sink = {
      write(list, rows) {
        calls.push(`write ${rows[0]?.number}`);
        return (over.sink ?? flushing.sink).write(list, rows);
      },
    };
    const thresholds = { chats: 1, messages: 1 };
    const { signal } = new AbortController();
    return new Drain({
      source,
      sink,
      clock: systemClock,
      log,
      thresholds,
      maxRows,
      signal,
      isHeld: () => true,
    });
  }

  const pendingChats = async () => (await buffer.totals.read(0)).pending.chats;
  const failureOf = (run: Promise<unknown>) => run.then(() => undefined).catch((error: unknown) => error);

  it("acknowledges each while the next one is written, and is never further ahead", async () => {
    await notedDrain().run("minute");
    expect(calls).to.deep.equal(["write 1", "write 11", "ack 1", "write 21", "ack 11", "ack 21"]);
    expect(await pendingChats()).to.equal(0);
  });

  it("acknowledges what it has written also where the next write fails", async () => {
    const defect = new Error("a defect");
    const sink: Sink = {
      write: (list, rows) =>
        rows[0]?.number === 21 ? Promise.reject(defect) : flushing.sink.write(list, rows),
    };
    expect(await failureOf(notedDrain({ sink }).run("minute"))).to.equal(defect);
    expect(await pendingChats()).to.equal(10);
  });

  it("writes nothing more once an ack says that the lease was lost, and the next drain nothing twice", async () => {
    const source: Partial<Source> = { acknowledge: () => Promise.resolve({ kind: "lease-lost" }) };
    expect(await failureOf(notedDrain({ source }).run("minute"))).to.be.instanceOf(LeaseLostError);
    expect(calls).to.deep.equal(["write 1", "write 11"]);
    await notedDrain().run("minute");
    expect(await pendingChats()).to.equal(0);
    expect((await buffer.totals.read(0)).flushed.get("already-there")).to.equal(20);
    expect(await workspace.sql("chats").count({ count: "*" }).first()).to.deep.equal({ count: 30 });
  });

  it("ends where the list turns out to be shorter than it was", async () => {
    const own = flushing.source(maxRows);
    let longer = 100;
    const source: Partial<Source> = {
      length: async (list) => (await own.length(list)) + (list === "chats" ? longer : 0),
      async peek(list, skip) {
        const batch = await own.peek(list, skip);
        if (batch.references.length === 0) longer = 0;
        return batch;
      },
    };
    await notedDrain({ source }).run("minute");
    expect(await pendingChats()).to.equal(0);
  });

  /** Makes a pending chat one that a later version of Sluice has written. */
  async function makeNewer(chat: number): Promise<void> {
    const pending = new Keys(workspace.config.redis.namespace, 1).pending({ token });
    await workspace.redis.hset(pending, chat, "9999|of a form that is still to come");
  }

  const endsAtNewer = [
    { newer: 25, where: "in the batch that is read ahead", flushed: ["1", "11", "21"] },
    { newer: 15, where: "with a batch's worth behind it", flushed: ["1", "11"] },
    { newer: 21, where: "at the head of what would be read ahead", flushed: ["1", "11"] },
    { newer: 11, where: "right behind the first batch", flushed: ["1"] },
  ];
  for (const { newer, where, flushed } of endsAtNewer) {
    it(`acknowledges all before a newer record ${where}, and writes nothing else`, async () => {
      await makeNewer(newer);
      expect(await failureOf(notedDrain().run("minute"))).to.be.instanceOf(OtherVersionError);
      const of = (what: string) =>
        calls.filter((call) => call.startsWith(`${what} `)).map((call) => call.split(" ")[1]);
      expect([of("write"), of("ack")]).to.deep.equal([flushed, flushed]);
      expect(await pendingChats()).to.equal(30 - (newer - 1));
      expect(await workspace.sql("chats").count({ count: "*" }).first()).to.deep.equal({ count: newer - 1 });
      expect(await buffer.heads.areOfOtherVersion(0)).to.equal(true);
    });
  }
});
