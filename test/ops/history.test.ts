import { expect } from "chai";

import type { Buffer } from "../../src/buffer/buffer.ts";
import { type HistoryPoint, resolutions } from "../../src/buffer/history.ts";
import { Keys } from "../../src/buffer/keys.ts";
import { ratesSince } from "../../src/ops/rates.ts";
import { openTestBuffer } from "../support/buffers.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const nothing = { accepted: 0, flushed: 0, pending: 0, pendingBytes: 0, oldestAgeMs: 0, deadLetters: 0 };
const pointAt = (atMs: number, over: Partial<HistoryPoint> = {}): HistoryPoint => ({
  ...nothing,
  atMs,
  ...over,
});

describe("The history", () => {
  let workspace: Workspace;
  let buffer: Buffer;
  beforeEach(async () => {
    workspace = await openWorkspace();
    buffer = await openTestBuffer(workspace, "requests");
  });
  afterEach(async () => {
    buffer.close();
    await workspace.close();
  });

  it("keeps the highest of what is seen within a step, whoever saw it and in whatever order", async () => {
    const start = 1_800_000_000_000;
    await buffer.history.record(pointAt(start, { accepted: 5, pending: 100 }));
    await buffer.history.record(pointAt(start + 2000, { accepted: 9, pending: 3 }));
    await buffer.history.record(pointAt(start + 1000, { accepted: 7, pending: 50 }));
    await buffer.history.record(pointAt(start + 5000, { accepted: 20, pending: 1 }));
    expect(await buffer.history.read("30m")).to.deep.equal([
      pointAt(start + 2000, { accepted: 9, pending: 100 }),
      pointAt(start + 5000, { accepted: 20, pending: 1 }),
    ]);
    expect(await buffer.history.read("24h")).to.deep.equal([
      pointAt(start + 5000, { accepted: 20, pending: 100 }),
    ]);
  });

  it("forgets nothing but the oldest, and never takes more room than its rings", async () => {
    const start = 1_800_000_000_000;
    const { kept, stepMs } = resolutions["30m"];
    for (let step = 0; step < kept + 20; step += 1) {
      await buffer.history.record(pointAt(start + step * stepMs, { accepted: step }));
    }
    const points = await buffer.history.read("30m");
    expect([points.length, points[0]?.accepted, points.at(-1)?.accepted]).to.deep.equal([
      kept,
      20,
      kept + 19,
    ]);
    const keys = new Keys(workspace.config.redis.namespace, 1);
    const one = Number(await workspace.redis.memory("USAGE", keys.operators.history("30m"), "SAMPLES", 0));
    const entries = Object.values(resolutions).reduce((sum, ring) => sum + ring.kept, 0);
    expect((one / kept) * entries).to.be.below(500_000);
  });

  it("gives rates over the last seconds, and none where it does not know", () => {
    const now = pointAt(100_000, { accepted: 500, flushed: 400 });
    const points = [pointAt(60_000), pointAt(90_000, { accepted: 100, flushed: 300 }), pointAt(98_000)];
    expect(ratesSince(points, now)).to.deep.equal({ acceptedPerSecond: 40, flushedPerSecond: 10 });
    expect(ratesSince([pointAt(60_000)], now)).to.deep.equal({
      acceptedPerSecond: null,
      flushedPerSecond: null,
    });
    const lost = pointAt(100_000, { accepted: 1 });
    expect(ratesSince([pointAt(90_000, { accepted: 100 })], lost).acceptedPerSecond).to.equal(0);
  });
});
