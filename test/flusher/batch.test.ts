import { expect } from "chai";
import fc from "fast-check";

import { type DrainProgress, gatherMs, wantsAnother, worthReadingAhead } from "../../src/flusher/batch.ts";

const progress = (over: Partial<DrainProgress>): DrainProgress => ({
  extent: "to-threshold",
  threshold: 10,
  waitingAtStart: 25,
  taken: 0,
  waiting: 25,
  ...over,
});

describe("A drain to the threshold", () => {
  it("goes on until the list is below the threshold, however much it has taken", () => {
    expect(wantsAnother(progress({ waiting: 11 }))).to.equal(true);
    expect(wantsAnother(progress({ waiting: 10 }))).to.equal(true);
    expect(wantsAnother(progress({ waiting: 9 }))).to.equal(false);
    expect(wantsAnother(progress({ waiting: 10, taken: 1_000_000 }))).to.equal(true);
  });

  it("empties the list where the threshold is one", () => {
    expect(wantsAnother(progress({ threshold: 1, waiting: 1 }))).to.equal(true);
    expect(wantsAnother(progress({ threshold: 1, waiting: 0 }))).to.equal(false);
  });
});

describe("A drain of what waited", () => {
  const extent = "what-waited";

  it("takes what lay there when it began, below the threshold too", () => {
    expect(wantsAnother(progress({ extent, waitingAtStart: 3, waiting: 3 }))).to.equal(true);
    expect(wantsAnother(progress({ extent, waitingAtStart: 3, taken: 2, waiting: 1 }))).to.equal(true);
  });

  it("leaves what came meanwhile, so that it ends under any load", () => {
    expect(wantsAnother(progress({ extent, taken: 25, waiting: 500 }))).to.equal(false);
    expect(wantsAnother(progress({ extent, taken: 40, waiting: 500 }))).to.equal(false);
  });
});

describe("Any drain", () => {
  const any = fc.record({
    extent: fc.constantFrom("to-threshold" as const, "what-waited" as const),
    threshold: fc.integer({ min: 1, max: 50 }),
    waitingAtStart: fc.nat(100),
    taken: fc.nat(100),
    waiting: fc.nat(100),
  });

  it("ends when nothing waits", () => {
    fc.assert(fc.property(any, (state) => !wantsAnother({ ...state, waiting: 0 })));
  });

  it("ends after as many batches as the list is long when nothing comes in", () => {
    fc.assert(
      fc.property(any, fc.integer({ min: 1, max: 20 }), (state, maxRows) => {
        let { waiting } = { ...state, waiting: state.waitingAtStart };
        let [taken, batches] = [0, 0];
        while (wantsAnother({ ...state, taken, waiting })) {
          const length = Math.min(maxRows, waiting);
          taken += length;
          waiting -= length;
          batches += 1;
        }
        expect(batches).to.be.at.most(Math.ceil(state.waitingAtStart / maxRows));
        if (state.extent === "what-waited") expect(waiting).to.equal(0);
        else expect(waiting).to.be.below(state.threshold);
      }),
    );
  });
});

describe("Reading ahead", () => {
  it("is worth it only where a full batch lies behind the one in hand", () => {
    expect(worthReadingAhead(progress({ waiting: 2000 }), 1000, 1000)).to.equal(true);
    expect(worthReadingAhead(progress({ waiting: 1999 }), 1000, 1000)).to.equal(false);
    expect(worthReadingAhead(progress({ waiting: 1100 }), 100, 1000)).to.equal(true);
  });

  it("is not worth it where the list turns out to be empty, or the drain would never end", () => {
    expect(worthReadingAhead(progress({ waiting: 2000 }), 0, 1000)).to.equal(false);
  });

  it("is worth it only where the drain will go on after the batch in hand", () => {
    const extent = "what-waited";
    const last = progress({ extent, waitingAtStart: 500, taken: 400, waiting: 2000 });
    expect(worthReadingAhead(last, 100, 100)).to.equal(false);
    expect(worthReadingAhead(last, 99, 100)).to.equal(true);
    expect(worthReadingAhead(progress({ threshold: 50, waiting: 50 }), 10, 10)).to.equal(false);
  });
});

describe("Gathering", () => {
  it("waits a moment for a short batch that a threshold asked for, and for no other", () => {
    expect(gatherMs("to-threshold", 10, 1000)).to.be.within(1, 1000);
    expect(gatherMs("to-threshold", 1000, 1000)).to.equal(0);
    expect(gatherMs("what-waited", 10, 1000)).to.equal(0);
  });
});
