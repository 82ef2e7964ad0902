import { expect } from "chai";

import { type ParentFacts, judgeParent } from "../../src/buffer/invariants/parent-facts.ts";
import { judgeEpochs } from "../../src/invariants.ts";

const parent = { token: "application", chatNumber: 1 };

/** A chat with three messages, 4 to 6, that wait. */
const sound: ParentFacts = {
  partition: 0,
  parent,
  counter: { epoch: "now", last: 6, written: 3, bytes: 90, isDeleted: false, expires: false },
  epoch: "now",
  counts: { pending: 3, revisions: 0, dead: 0 },
  bytes: 90,
  lowest: 4,
  highest: 6,
  expiring: [],
  oddities: [],
};

const kindsOf = (over: Partial<ParentFacts>, counter: Partial<NonNullable<ParentFacts["counter"]>> = {}) => {
  const facts = { ...sound, counter: sound.counter && { ...sound.counter, ...counter }, ...over };
  return judgeParent(facts).map(({ kind }) => kind);
};

describe("A parent", () => {
  it("is in order where its counter says what lies beneath it", () => {
    expect(kindsOf({})).to.deep.equal([]);
  });

  it("may have a counter that expires where nothing lies beneath it, and not else", () => {
    const none = {
      counts: { pending: 0, revisions: 0, dead: 0 },
      bytes: 0,
      lowest: undefined,
      highest: undefined,
    };
    expect(kindsOf(none, { expires: true, bytes: 0 })).to.deep.equal([]);
    for (const home of ["pending", "revisions", "dead"]) {
      const counts = { ...none.counts, [home]: 1 };
      expect(kindsOf({ ...none, counts }, { expires: true, bytes: 0 })).to.deep.equal(["counter-expires"]);
    }
  });

  it("may have a counter of another epoch that is behind: that one gives no number", () => {
    expect(kindsOf({}, { last: 5 })).to.deep.equal(["counter-behind-pending"]);
    expect(kindsOf({}, { last: 5, epoch: "before" })).to.deep.equal([]);
  });

  it("may have numbers with holes where its counter does not say that there are none", () => {
    expect(kindsOf({ lowest: 2 }, { written: 1 })).to.deep.equal([]);
    expect(kindsOf({ lowest: 2 })).to.deep.equal(["counter-not-dense"]);
  });

  it("may have a counter that never gave a number, if the sum is right", () => {
    const none = { last: undefined, written: undefined, epoch: undefined };
    expect(kindsOf({}, none)).to.deep.equal([]);
    expect(kindsOf({}, { ...none, bytes: 1 })).to.deep.equal(["counter-bytes"]);
  });

  it("that is deleted has nothing beneath it, whatever its counter says", () => {
    expect(kindsOf({}, { isDeleted: true })).to.deep.equal(["beneath-deleted"]);
    const counts = { pending: 0, revisions: 0, dead: 0 };
    expect(kindsOf({ counts, bytes: 0 }, { isDeleted: true, expires: true })).to.deep.equal([]);
  });

  it("without a counter has nothing beneath it", () => {
    expect(kindsOf({ counter: undefined })).to.deep.equal(["counter-bytes"]);
  });
});

describe("A partition's state", () => {
  const row = { epoch: "now", flushSequence: 7, losses: 2, touched: 0 };
  const state = {
    epoch: "now",
    flushSequence: 7,
    losses: 2,
    committed: 7,
    bytes: 0,
    owed: 0,
    listed: 0,
    moment: "",
  };
  const kinds = (over: Partial<typeof state>, after = row) =>
    judgeEpochs(0, row, { ...state, ...over }, after).map(({ kind }) => kind);

  it("is in order where Redis is where MySQL is, or ahead", () => {
    expect(kinds({})).to.deep.equal([]);
    expect(kinds({ flushSequence: 9 })).to.deep.equal([]);
  });

  it("tells of a loss of Redis' data by its epoch, or by how far its flushes had come", () => {
    expect(kinds({ epoch: "another" })).to.deep.equal(["epoch-differs"]);
    expect(kinds({ flushSequence: 6 })).to.deep.equal(["sequence-behind"]);
  });

  it("tells of a loss of MySQL's data by what Redis knows that it had", () => {
    expect(kinds({ losses: 3, epoch: "next" })).to.deep.equal(["losses-ahead"]);
    expect(kinds({ flushSequence: 9, committed: 8 })).to.deep.equal(["commits-lost"]);
    expect(kinds({ flushSequence: 9, committed: 8 }, { ...row, flushSequence: 8 })).to.deep.equal([]);
  });
});
