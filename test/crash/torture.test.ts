import { expect } from "chai";

import { describeReport } from "./torture-report.ts";
import { torture } from "./torture.ts";

/** The short form of `npm run test:crash`, which goes on for as long as it is told. */
const durationMs = 40_000;

describe("Random kills, pauses, network faults and losses of Redis, under the load of many clients", function () {
  this.timeout(900_000);

  it("give no number twice, lose nothing but with Redis, and show all clients one order of what was done", async () => {
    const seed = Number(process.env["SLUICE_CRASH_SEED"] ?? Date.now() % 1_000_000);
    console.log(`      SLUICE_CRASH_SEED=${seed}`);
    const report = await torture(durationMs, seed);
    console.log(describeReport(report).replaceAll(/^/gm, "      "));
    expect(report.problems).to.deep.equal([]);
    expect(report.rows).to.be.greaterThan(0);
  });
});
