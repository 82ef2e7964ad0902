import { expect } from "chai";
import fc from "fast-check";

import { backoffMs } from "../../src/flusher/backoff.ts";

describe("Backing off", () => {
  it("begins with a tenth of a second and doubles up to five seconds", () => {
    const longest = Array.from({ length: 10 }, (_, attempt) => backoffMs(attempt, () => 1));
    expect(longest).to.deep.equal([100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000, 5000]);
  });

  it("leaves half of the wait to chance", () => {
    expect(backoffMs(0, () => 0)).to.equal(50);
    expect(backoffMs(0, () => 0.5)).to.equal(75);
    expect(backoffMs(7, () => 0)).to.equal(2500);
  });

  it("is never shorter than 50 ms nor longer than five seconds, however long an outage lasts", () => {
    fc.assert(
      fc.property(fc.nat(), (attempt) => {
        const ms = backoffMs(attempt);
        expect(ms).to.be.within(50, 5000);
      }),
    );
  });

  it("differs between two that failed together", () => {
    expect(new Set(Array.from({ length: 20 }, () => backoffMs(7))).size).to.be.greaterThan(1);
  });
});
