import { expect } from "chai";

import { describeReport } from "./torture-report.ts";
import { torture } from "./torture.ts";

/** The short form of `npm run test:crash`, which goes on for as long as it is told. */
const durationMs = 40_000;

describe("Random kills, pauses and network faults of every process and engine, under load", function () {
  this.timeout(900_000);

  it("lose nothing acknowledged, write nothing twice, give no number twice", async () => {
    const seed = Number(process.env["SLUICE_CRASH_SEED"] ?? Date.now() % 1_000_000);
    console.log(`      SLUICE_CRASH_SEED=${seed}`);
    const report = await torture(durationMs, seed);
    console.log(describeReport(report).replaceAll(/^/gm, "      "));
    expect(report.problems).to.deep.equal([]);
    expect(report.rows).to.be.greaterThan(0);
  });
});
