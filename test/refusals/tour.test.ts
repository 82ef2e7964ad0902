import { expect } from "chai";

import { refusalsNamed } from "./catalogue.ts";
import { describeEnd, describeVisit } from "./tour-report.ts";
import { tour } from "./tour.ts";

/** The short form of `npm run test:refusals`, which goes through all of them and holds each for longer. */
const names = [
  "redis: maxmemory is below what is used",
  "redis: takes the channels away",
  "mysql: locks the account",
  "mysql: is killed, and started again",
] as const;
const holdMs = 2000;

describe("Real engines that refuse, one way after the other, under a steady load", function () {
  this.timeout(600_000);

  it("lose nothing and write nothing twice, and an operator is told of each, and of its end, within ten seconds", async () => {
    const refusals = refusalsNamed(names);
    expect(refusals).to.have.lengthOf(names.length);
    const report = await tour(refusals, holdMs, (visit) => {
      console.log(`      ${describeVisit(visit)}`);
    });
    console.log(describeEnd(report).replaceAll(/^/gm, "      "));
    expect(report.problems).to.deep.equal([]);
    expect(report.accepted).to.be.greaterThan(0);
  });
});
