import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

import { expect } from "chai";

import { type Buffer, openBuffer } from "../../src/buffer/buffer.ts";
import { Keys } from "../../src/buffer/keys.ts";
import { PartitionWorker, type WorkerParts } from "../../src/flusher/partition-worker.ts";
import type { Turns } from "../../src/flusher/lease-turns.ts";
import type { Clock, FlushLog } from "../../src/flusher/ports.ts";
import { OtherVersionError } from "../../src/records/payload.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

/** As long as a real one: a busy machine may hold up a renewal for seconds. */
const leaseMs = 10_000;
const limits = {
  maxRecords: 100,
  maxBytes: 1e6,
  numberGapAfterLoss: 1000,
  thresholds: { chats: 10, messages: 10 },
};

/** Milliseconds by which a paused process finds the clock ahead. */
let pausedMs = 0;

/** Time that passes fast enough for a test, and slowly enough to renew a short lease. */
const fastClock: Clock = {
  nowMs: () => performance.now() + pausedMs,
  sleep: async (ms, signal) => {
    await delay(Math.min(ms, 40), undefined, { signal }).catch(() => undefined);
  },
};

/** Asks for the lease again and again, and leaves it to nobody. */
const alwaysWilling: Turns = {
  turn: (_partition, signal) => fastClock.sleep(1000, signal).then(() => !signal.aborted),
  tenure: () => new AbortController().signal,
};

interface Told {
  readonly level: string;
  readonly message: string;
}

interface Running {
  readonly worker: PartitionWorker;
  readonly told: Told[];
  /** Triggers of the drains, as they began. */
  readonly drained: string[];
  stop(): Promise<void>;
}

describe("The worker of a partition", () => {
  let workspace: Workspace;
  let buffer: Buffer;
  let keys: Keys;
  const workers: Running[] = [];

  beforeEach(async () => {
    workspace = await openWorkspace();
    keys = new Keys(workspace.config.redis.namespace, 1);
    buffer = await openBuffer({ ...workspace.config.redis, limits }, "draining");
  });

  afterEach(async () => {
    await Promise.all(workers.splice(0).map((running) => running.stop()));
    buffer.close();
    await workspace.close();
  });

  function start(
    owner: string,
    drain: WorkerParts["drain"] = () => Promise.resolve(0),
    removeSome: WorkerParts["removeSome"] = () => Promise.resolve(false),
  ): Running {
    const told: Told[] = [];
    const drained: string[] = [];
    const note = (level: string) => (_fields: object, message: string) => {
      told.push({ level, message });
    };
    const [debug, info, warn, error] = ["debug", "info", "warn", "error"].map(note);
    const log = { debug, info, warn, error } as FlushLog;
    const worker = new PartitionWorker({
      partition: 0,
      clock: fastClock,
      log,
      turns: alwaysWilling,
      standBack: () => told.push({ level: "warn", message: "stands back" }),
      leases: {
        acquire: () => buffer.leases.acquire(0, owner, leaseMs),
        renew: (lease) => buffer.leases.renew(lease, leaseMs),
        release: (lease) => buffer.leases.release(lease),
      },
      drain: (lease, trigger, signal, isHeld) => {
        drained.push(trigger);
        return drain(lease, trigger, signal, isHeld);
      },
      removeSome,
    });
    const stopping = new AbortController();
    const run = worker.run(stopping.signal);
    const stop = async () => {
      stopping.abort();
      await run;
    };
    const running = { worker, told, drained, stop };
    workers.push(running);
    return running;
  }

  const messages = (running: Running) => running.told.map(({ message }) => message);
  const untilDrained = (running: Running, times: number) =>
    waitFor(() => running.drained.length >= times, { what: `drain ${times}` });

  it("drains once as soon as it holds the lease, as another may have left something", async () => {
    const running = start("one");
    await untilDrained(running, 1);
    expect(running.drained).to.deep.equal(["threshold"]);
  });

  it("drains at each trigger, one after the other, the most urgent first", async () => {
    let [now, most] = [0, 0];
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const running = start("one", async () => {
      now += 1;
      most = Math.max(most, now);
      await gate;
      now -= 1;
      return 0;
    });
    await untilDrained(running, 1);
    for (const trigger of ["threshold", "minute", "manual", "threshold"] as const)
      running.worker.post(trigger);
    release();
    await untilDrained(running, 4);
    expect(running.drained).to.deep.equal(["threshold", "manual", "minute", "threshold"]);
    expect(most).to.equal(1);
  });

  it("goes on after a drain that failed, and says so", async () => {
    let failures = 2;
    const running = start("one", () =>
      failures-- > 0 ? Promise.reject(new Error("a defect")) : Promise.resolve(0),
    );
    await untilDrained(running, 1);
    running.worker.post("minute");
    await untilDrained(running, 2);
    running.worker.post("manual");
    await untilDrained(running, 3);
    expect(running.told.filter(({ level }) => level === "error")).to.have.lengthOf(2);
  });

  it("removes what is to be removed bit by bit, never during a drain, and drains in between", async () => {
    let [isDraining, removals, met] = [false, 0, 0];
    const running: Running = start(
      "one",
      async () => {
        isDraining = true;
        await new Promise((resolve) => setImmediate(resolve));
        isDraining = false;
        return 0;
      },
      async () => {
        removals += 1;
        if (isDraining) met += 1;
        if (removals === 5) running.worker.post("manual");
        await new Promise((resolve) => setImmediate(resolve));
        return removals < 50;
      },
    );
    await waitFor(() => removals >= 50 && running.drained.length >= 2, { what: "all removals" });
    expect(met).to.equal(0);
    expect(running.drained).to.deep.equal(["threshold", "manual"]);
    running.worker.post("minute");
    await untilDrained(running, 3);
    await waitFor(() => removals === 51, { what: "a look for removals after the drain" });
  });

  it("gives its lease back and stands back where a record of a newer version is next", async () => {
    const running = start("one", () => Promise.reject(new OtherVersionError("2")));
    await waitFor(() => messages(running).includes("stands back"), { what: "it to stand back" });
    expect(running.told.filter(({ level }) => level === "error")).to.deep.equal([]);
  });

  it("goes on after a removal that failed, and says so", async () => {
    let failures = 2;
    const removeSome = () =>
      failures-- > 0 ? Promise.reject(new Error("a defect")) : Promise.resolve(false);
    const running = start("one", undefined, removeSome);
    await untilDrained(running, 1);
    await waitFor(() => failures < 0, { what: "a removal that succeeds" });
    expect(running.told.filter(({ level }) => level === "error")).to.have.lengthOf(2);
  });

  it("keeps the lease for as long as a drain lasts", async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const running = start("one", async () => {
      await gate;
      return 0;
    });
    await untilDrained(running, 1);
    const first = await workspace.redis.get(keys.lease(0));
    for (let renewal = 1; renewal <= 3; renewal += 1) {
      // As if half of it had passed.
      await workspace.redis.pexpire(keys.lease(0), leaseMs / 2);
      await waitFor(async () => (await workspace.redis.pttl(keys.lease(0))) > leaseMs / 2, {
        what: "the lease to be renewed",
      });
    }
    expect(await workspace.redis.get(keys.lease(0))).to.equal(first);
    expect(running.drained).to.have.lengthOf(1);
    release();
  });

  it("tells a drain that its lease can have expired, when the process wakes from a long pause", async () => {
    const held: boolean[] = [];
    const running = start("one", (_lease, _trigger, _signal, isHeld) => {
      held.push(isHeld());
      if (held.length === 1) pausedMs += 60_000;
      held.push(isHeld());
      return Promise.resolve(0);
    });
    await untilDrained(running, 1);
    expect(held.slice(0, 2)).to.deep.equal([true, false]);
  });

  it("never drains while another does", async () => {
    let [now, most, drains] = [0, 0, 0];
    const drain = async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      drains += 1;
      return 0;
    };
    const running = ["one", "two", "three"].map((owner) => start(owner, drain));
    await waitFor(() => drains >= 1, { what: "a first drain" });
    for (let round = 0; round < 20; round += 1) {
      for (const { worker } of running) worker.post("manual");
      await waitFor(() => drains > round, { what: "another drain" });
    }
    expect(most).to.equal(1);
    expect(running.filter(({ drained }) => drained.length > 0)).to.have.lengthOf(1);
  });

  it("gives its lease back when it is stopped, and finishes what it has in hand before", async () => {
    let isFinished = false;
    const first = start("one", async (_lease, _trigger, signal) => {
      await once(signal, "abort");
      await new Promise((resolve) => setImmediate(resolve));
      isFinished = true;
      return 0;
    });
    await untilDrained(first, 1);
    await first.stop();
    expect(isFinished).to.equal(true);
    expect(await workspace.redis.get(keys.lease(0))).to.equal(null);
    expect(await buffer.leases.acquire(0, "next", leaseMs)).to.not.equal(undefined);
  });

  it("is followed by another when it dies without a word", async () => {
    await buffer.leases.acquire(0, "the dead", 400);
    const next = start("next");
    expect(next.drained).to.deep.equal([]);
    await untilDrained(next, 1);
  });

  it("stops draining when its lease is gone, and asks for it again", async () => {
    const signals: AbortSignal[] = [];
    const running = start("one", async (_lease, _trigger, signal) => {
      signals.push(signal);
      if (signals.length === 1) await once(signal, "abort");
      return 0;
    });
    await untilDrained(running, 1);
    await workspace.redis.del(keys.lease(0));
    await untilDrained(running, 2);
    expect(signals.map(({ aborted }) => aborted).slice(0, 2)).to.deep.equal([true, false]);
    expect(messages(running)).to.include("the lease was lost");
  });

  it("leaves the lease of another alone, be it one with the same name", async () => {
    const mine = await buffer.leases.acquire(0, "one", leaseMs);
    expect(mine).to.not.equal(undefined);
    await workspace.redis.del(keys.lease(0));
    const other = await buffer.leases.acquire(0, "one", leaseMs);
    if (!mine || !other) throw new Error("no lease");
    expect(other.value).to.not.equal(mine.value);
    expect(await buffer.leases.renew(mine, leaseMs)).to.equal(false);
    await buffer.leases.release(mine);
    expect(await buffer.leases.renew(other, leaseMs)).to.equal(true);
  });
});
