import { expect } from "chai";

import type { Buffer } from "../../src/buffer/buffer.ts";
import { Schedule, type ScheduledJob } from "../../src/jobs/schedule.ts";
import { Ticks } from "../../src/jobs/ticks.ts";
import { openTestBuffer } from "../support/buffers.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const hourMs = 3600 * 1000;
const at = (time: string) => Date.parse(`2026-${time}Z`);
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Runs something with this process in another time zone. */
async function inTimeZone(zone: string, act: () => Promise<void> | void): Promise<void> {
  const before = process.env["TZ"];
  process.env["TZ"] = zone;
  try {
    await act();
  } finally {
    if (before === undefined) delete process.env["TZ"];
    else process.env["TZ"] = before;
  }
}

describe("The ticks of a cron expression", () => {
  it("are found again after they have passed, the latest alone", () => {
    const hourly = new Ticks("0 * * * *");
    expect(hourly.latest(at("11-21T14:25:10"))).to.equal(at("11-21T14:00:00"));
    expect(hourly.latest(at("11-21T14:00:00"))).to.equal(at("11-21T14:00:00"));
    expect(hourly.latest(at("11-21T14:25:10"), at("11-21T14:00:00"))).to.equal(undefined);
    expect(hourly.latest(at("11-21T17:01:00"), at("11-21T14:00:00"))).to.equal(at("11-21T17:00:00"));
    expect(hourly.next(at("11-21T14:00:00"))).to.equal(at("11-21T15:00:00"));
    expect(new Ticks("*/10 * * * * *").latest(at("11-21T14:25:19"))).to.equal(at("11-21T14:25:10"));
    expect(new Ticks("45 3 * * *").latest(at("11-21T03:44:00"))).to.equal(at("11-20T03:45:00"));
  });

  for (const [zone, day] of [
    ["Europe/Berlin", "10-25"],
    ["Europe/Berlin", "03-29"],
    ["America/New_York", "11-01"],
    ["Australia/Lord_Howe", "10-04"],
  ] as const) {
    it(`are one an hour on the day of the change of the clocks of ${zone}, ${day}`, async () => {
      await inTimeZone(zone, () => {
        const hourly = new Ticks("0 * * * *");
        const found = new Set<number>();
        const start = at(`${day}T00:00:00`) - 12 * hourMs;
        for (let minute = 0; minute < 48 * 60; minute += 5) {
          found.add(hourly.latest(start + minute * 60_000) ?? 0);
        }
        const hours = Array.from({ length: 48 }, (_, hour) => start + hour * hourMs);
        expect([...found]).to.deep.equal(hours);
      });
    });
  }
});

describe("Several schedules on one Redis", function () {
  let workspace: Workspace;
  let buffers: Buffer[];
  let first: Buffer;
  let second: Buffer;
  let third: Buffer;
  let schedules: Schedule[];
  let nowMs: number;
  /** When each run began, by the clock of the schedules. */
  let begun: number[];
  let underWay: number;
  let finish: Promise<void>;

  const log: string[] = [];
  const noting = { ...quiet, warn: (_: object, message: string) => void log.push(message) };

  before(async () => {
    workspace = await openWorkspace();
    buffers = await Promise.all([1, 2, 3].map(() => openTestBuffer(workspace, "draining")));
    [first, second, third] = buffers as [Buffer, Buffer, Buffer];
  });

  beforeEach(async () => {
    const left = await workspace.redis.keys(`${workspace.config.redis.namespace}:*`);
    if (left.length > 0) await workspace.redis.del(left);
    [nowMs, begun, underWay, finish] = [at("11-21T14:25:00"), [], 0, Promise.resolve()];
    log.length = 0;
    schedules = buffers.map(
      (buffer) => new Schedule([hourly], buffer.jobs, noting, () => Promise.resolve(nowMs)),
    );
  });

  after(async () => {
    for (const buffer of buffers) buffer.close();
    await workspace.close();
  });

  const hourly: ScheduledJob = {
    cron: "0 * * * *",
    once: "everywhere",
    job: {
      name: "counts",
      run: async () => {
        begun.push(nowMs);
        underWay += 1;
        expect(underWay).to.equal(1);
        await finish;
        underWay -= 1;
        return "counted";
      },
    },
  };

  /** Lets every schedule look, at once, and waits for what it began. */
  async function look(): Promise<void> {
    await Promise.all(schedules.map((schedule) => schedule.look()));
    await Promise.all(schedules.map((schedule) => schedule.idle()));
  }

  it("run each tick once, and one that nobody ran when they start", async () => {
    for (let minute = 0; minute <= 5 * 60; minute += 5, nowMs += 5 * 60_000) await look();
    expect(begun.map((ms) => new Date(ms).toISOString().slice(11, 16))).to.deep.equal([
      "14:25",
      "15:00",
      "16:00",
      "17:00",
      "18:00",
      "19:00",
    ]);
    const { runs, totals, isRunning } = await first.jobs.status("counts");
    expect(runs.map(({ outcome }) => outcome)).to.deep.equal(Array(6).fill("done"));
    expect(runs[0]?.detail).to.equal("counted");
    expect([totals.done, isRunning]).to.deep.equal([6, false]);
  });

  it("run one tick of those that a clock leaps over, and the hours again when it is put back", async () => {
    await look();
    nowMs += 3 * hourMs;
    await look();
    expect(begun.length).to.equal(2);
    nowMs -= 3 * hourMs;
    await look();
    expect(begun.length, "14:00 had its run").to.equal(2);
    for (let hour = 0; hour < 4; hour += 1) {
      nowMs += hourMs;
      await look();
    }
    expect(begun.length, "15:00 to 18:00, each its own").to.equal(6);
  });

  it("skip the tick of a job that still runs, and say so", async () => {
    let end = (): void => undefined;
    finish = new Promise((resolve) => (end = resolve));
    await Promise.all(schedules.map((schedule) => schedule.look()));
    await waitFor(() => begun.length === 1, { what: "the run" });
    nowMs += hourMs;
    await Promise.all(schedules.map((schedule) => schedule.look()));
    await waitFor(async () => (await first.jobs.status("counts")).totals.skipped === 1, {
      what: "the skipped run",
    });
    expect(log).to.deep.equal(["a job was skipped"]);
    end();
    await Promise.all(schedules.map((schedule) => schedule.idle()));
    nowMs += hourMs;
    await look();
    expect(begun.length).to.equal(2);
  });

  it("keep what failed, and try again at the next tick", async () => {
    finish = Promise.reject(new Error("the disk is full"));
    finish.catch(() => undefined);
    await look();
    const failed = await second.jobs.status("counts");
    expect(failed.runs[0]).to.include({ outcome: "failed", detail: "the disk is full" });
    underWay = 0;
    finish = Promise.resolve();
    await look();
    expect(begun.length).to.equal(1);
    nowMs += hourMs;
    await look();
    expect(begun.length).to.equal(2);
  });

  it("let a tick be run by another where its process is stopped in the middle", async () => {
    const stoppable: ScheduledJob = {
      ...hourly,
      job: {
        name: "counts",
        run: (signal) =>
          new Promise((_, reject) => {
            begun.push(nowMs);
            signal.addEventListener("abort", () => {
              reject(new Error("stopped"));
            });
          }),
      },
    };
    const { jobs } = first;
    const stopped = new Schedule([stoppable], jobs, quiet, () => Promise.resolve(nowMs));
    await stopped.look();
    await waitFor(() => begun.length === 1, { what: "the run" });
    await stopped.stop();
    expect((await jobs.status("counts")).totals.stopped).to.equal(1);
    await look();
    expect(begun.length).to.equal(2);
  });

  it("run a job that was asked for, once", async () => {
    await look();
    await third.jobs.request("counts");
    await look();
    await look();
    const { runs } = await first.jobs.status("counts");
    expect(runs.map(({ trigger }) => trigger)).to.deep.equal(["request", "schedule"]);
  });
});
