import { expect } from "chai";

import { type Buffer, openBuffer } from "../../src/buffer/buffer.ts";
import { Keys } from "../../src/buffer/keys.ts";
import { Flusher } from "../../src/flusher/flusher.ts";
import type { FlushLog } from "../../src/flusher/ports.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { operationIdOf, requestOf } from "../support/requests.ts";
import { type SluiceProcess, startFlusher } from "../support/sluice-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { seed } from "../support/buffers.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const token = "application";
const thresholds = { chats: 10, messages: 10 };
const limits = { maxRecords: 10_000, maxBytes: 1e9, numberGapAfterLoss: 1000, thresholds };
const draining = "draining this partition";

describe("Several flushers", () => {
  let workspace: Workspace;
  let buffer: Buffer;
  let store: Store;
  const processes: SluiceProcess[] = [];

  beforeEach(async () => {
    // A schedule that never comes round while the tests run: what is flushed was woken by a threshold.
    workspace = await openWorkspace({ FLUSH_CRON: "0 0 29 2 *" });
    store = openStore(workspace.config.database, "writing");
    buffer = await openBuffer({ ...workspace.config.redis, limits }, "draining");
    await seed(buffer, { token }, 0);
  });

  afterEach(async () => {
    await Promise.all(processes.splice(0).map((flusher) => flusher.end("SIGKILL")));
    buffer.close();
    await store.close();
    await workspace.close();
  });

  let serial = 0;
  async function acceptChats(count: number): Promise<void> {
    for (let at = 0; at < count; at += 1) {
      serial += 1;
      await buffer.accepting.accept({ token }, requestOf(operationIdOf(serial), null));
    }
  }

  const storedChats = async () =>
    ((await workspace.sql("chats").count({ count: "*" }).first()) as { count: number }).count;
  const untilStored = (count: number) =>
    waitFor(async () => (await storedChats()) === count, { what: `${count} chats in MySQL` });
  // What was committed is pending until its ack.
  const untilNonePending = () =>
    waitFor(async () => (await buffer.totals.read(0)).pending.chats === 0, { what: "no chat to be pending" });
  const leaseKey = () => new Keys(workspace.config.redis.namespace, 1).lease(0);
  /** Who holds the lease. */
  const holder = () => workspace.redis.get(leaseKey());

  it("of one process drain one partition in turn, and hand it over at once", async () => {
    const told: string[] = [];
    const logOf = (name: string): FlushLog => ({
      debug: () => undefined,
      info: (_fields, message) => told.push(`${name}: ${message}`),
      warn: (_fields, message) => told.push(`${name}: ${message}`),
      error: (_fields, message) => told.push(`${name}: ${message}`),
    });
    const settings = { thresholds, maxRows: 1000 };
    const first = new Flusher(buffer, store, settings, logOf("first"));
    await waitFor(() => told.length === 1, { what: "the first to hold the lease" });
    const second = new Flusher(buffer, store, settings, logOf("second"));
    try {
      await acceptChats(3);
      first.trigger("minute");
      second.trigger("minute", 0);
      await untilStored(3);
      expect(told).to.deep.equal([`first: ${draining}`]);
      const held = await holder();
      await first.stop();
      expect(await holder()).to.not.equal(held);
      await waitFor(() => told.includes(`second: ${draining}`), { what: "the second to take over" });
      await acceptChats(3);
      second.trigger("manual");
      await untilStored(6);
    } finally {
      await Promise.all([first.stop(), second.stop()]);
    }
  });

  it("of two processes drain one after the other: the second when the first is killed", async () => {
    const first = await startFlusher(workspace.env);
    processes.push(first);
    await first.logged(draining);
    const second = await startFlusher(workspace.env);
    processes.push(second);
    await acceptChats(10);
    await untilStored(10);
    expect(second.log.map(({ msg }) => msg)).to.not.include(draining);

    await first.end("SIGKILL");
    // Its lease ends by itself; here sooner than after ten seconds.
    expect(await workspace.redis.pttl(leaseKey())).to.not.equal(-1);
    await workspace.redis.pexpire(leaseKey(), 1);
    await acceptChats(10);
    await second.logged(draining);
    await untilStored(20);
    await untilNonePending();

    const third = await startFlusher(workspace.env);
    processes.push(third);
    const held = await holder();
    expect(await second.end("SIGTERM")).to.equal(0);
    expect(await holder()).to.not.equal(held);
    await third.logged(draining);
  });

  it("drain each partition of its own at the same time", async () => {
    const spread = await openWorkspace({ PARTITIONS: "4", FLUSH_CRON: "0 0 29 2 *" });
    const parts = await openBuffer({ ...spread.config.redis, limits }, "draining");
    try {
      const flusher = await startFlusher(spread.env);
      processes.push(flusher);
      await waitFor(() => flusher.log.filter(({ msg }) => msg === draining).length === 4, {
        what: "4 leases",
      });
      for (let application = 0; application < 8; application += 1) {
        const own = `application-${application}`;
        await seed(parts, { token: own }, 0);
        await parts.accepting.accept({ token: own }, requestOf(operationIdOf(application), null));
      }
      for (let partition = 0; partition < 4; partition += 1) await parts.wake(partition, "manual");
      await waitFor(async () => ((await spread.sql("chats").select("number")) as unknown[]).length === 8, {
        what: "chats of every partition in MySQL",
      });
    } finally {
      await Promise.all(processes.map((flusher) => flusher.end("SIGTERM")));
      parts.close();
      await spread.close();
    }
  });
});
