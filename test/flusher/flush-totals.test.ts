import { expect } from "chai";
import fc from "fast-check";

import { durationBuckets, readTotals, totalsOf } from "../../src/flusher/flush-totals.ts";
import type { Trigger } from "../../src/flusher/ports.ts";
import { newRecord } from "../../src/records/records.ts";
import { nothingWritten, type WriteOutcome } from "../../src/store/outcome.ts";
import type { NewRow } from "../../src/store/tables.ts";

const triggers = ["threshold", "minute", "manual"] as const;

interface Flushed {
  readonly trigger: Trigger;
  readonly outcome: WriteOutcome;
  readonly refused: number;
  readonly durationMs: number;
}

const totalsOfFlush = ({ trigger, outcome, refused, durationMs }: Flushed) =>
  totalsOf(trigger, outcome, refused, durationMs);

/** Adds up as Redis does: field by field. */
function addUp(flushes: readonly Flushed[]): Map<string, number> {
  const totals = new Map<string, number>();
  for (const flush of flushes) {
    for (const [field, increment] of totalsOfFlush(flush))
      totals.set(field, (totals.get(field) ?? 0) + increment);
  }
  return totals;
}

const conflict: NewRow = { token: "a", number: 1, origin: "pending", record: newRecord("a", 0, null) };

const flush: fc.Arbitrary<Flushed> = fc.record({
  trigger: fc.constantFrom(...triggers),
  outcome: fc.record({
    inserted: fc.nat(5000),
    alreadyThere: fc.nat(5000),
    updated: fc.nat(5000),
    deleted: fc.nat(5000),
    superseded: fc.nat(5000),
    conflicts: fc.array(fc.constant(conflict), { maxLength: 5 }),
  }),
  refused: fc.nat(5000),
  durationMs: fc.double({ min: 0, max: 60_000, noNaN: true }),
});

describe("The totals of a flush", () => {
  it("are whole numbers, as Redis adds only those exactly", () => {
    fc.assert(
      fc.property(flush, (one) => {
        for (const increment of totalsOfFlush(one).values())
          expect(increment).to.satisfy(Number.isSafeInteger);
      }),
    );
  });

  it("come back as what was flushed, over any number of partitions", () => {
    fc.assert(
      fc.property(fc.array(fc.array(flush)), (partitions) => {
        const totals = readTotals(partitions.map(addUp));
        const all = partitions.flat();
        const sum = (pick: (one: Flushed) => number) => all.reduce((total, one) => total + pick(one), 0);
        for (const trigger of triggers) {
          const own = all.filter((one) => one.trigger === trigger);
          expect(totals.flushesByTrigger[trigger]).to.equal(own.length);
          expect(totals.rowsByTrigger[trigger]).to.equal(
            own.reduce((rows, one) => rows + one.outcome.inserted, 0),
          );
        }
        for (const field of ["alreadyThere", "updated", "deleted", "superseded"] as const) {
          expect(totals[field], field).to.equal(sum((one) => one.outcome[field]));
        }
        expect(totals.conflicts).to.equal(sum((one) => one.outcome.conflicts.length));
        expect(totals.refused).to.equal(sum((one) => one.refused));
        expect(totals.durationSumSeconds).to.be.closeTo(sum((one) => one.durationMs) / 1000, 0.001);
        expect(totals.durationCounts).to.deep.equal(
          [...durationBuckets, Infinity].map(
            (bound) => all.filter((one) => one.durationMs <= bound * 1000).length,
          ),
        );
      }),
    );
  });

  it("count a flush of exactly a bucket's bound into that bucket, and the longest into the last", () => {
    const counts = (durationMs: number) =>
      readTotals([totalsOf("minute", { ...nothingWritten, inserted: 1 }, 0, durationMs)]).durationCounts;
    expect(counts(5)).to.deep.equal(Array.from({ length: 12 }, () => 1));
    expect(counts(5.001).slice(0, 2)).to.deep.equal([0, 1]);
    expect(counts(10_000).slice(-2)).to.deep.equal([1, 1]);
    expect(counts(10_001).slice(-2)).to.deep.equal([0, 1]);
  });

  it("are all zero before the first flush", () => {
    expect(readTotals([])).to.deep.equal(readTotals([new Map()]));
    expect(readTotals([new Map()])).to.deep.equal({
      rowsByTrigger: { threshold: 0, minute: 0, manual: 0 },
      flushesByTrigger: { threshold: 0, minute: 0, manual: 0 },
      alreadyThere: 0,
      updated: 0,
      deleted: 0,
      superseded: 0,
      conflicts: 0,
      refused: 0,
      durationSumSeconds: 0,
      durationCounts: Array.from({ length: 12 }, () => 0),
    });
  });
});
