import { expect } from "chai";
import fc from "fast-check";

import { linearize } from "./linearize.ts";
import { hasOrder } from "./naive-order.ts";
import { type Deed, modelOfRecord, type RecordOperation } from "./record-model.ts";

const model = modelOfRecord((text) => text.startsWith("refused"));

/** Something that happened, from one time to another. */
const did = (beganMs: number, endedMs: number, deed: Deed): RecordOperation => ({
  ...deed,
  beganMs,
  endedMs,
  isCertain: true,
});

/** Something of unknown outcome. */
const mayHave = (beganMs: number, deed: Deed): RecordOperation => ({
  ...deed,
  beganMs,
  endedMs: Infinity,
  isCertain: false,
});

const see = (text: string): Deed => ({ do: "see", text });
const create = (text: string): Deed => ({ do: "create", text });
const update = (text: string): Deed => ({ do: "update", text });

const verdictOn = (...operations: readonly RecordOperation[]) => linearize(model, operations).kind;

describe("Operations on one record", () => {
  it("can have happened where each sees what the ones before it left", () => {
    expect(
      verdictOn(
        did(0, 1, create("a")),
        did(2, 3, see("a")),
        did(4, 5, update("b")),
        did(6, 7, see("b")),
        did(8, 9, { do: "delete" }),
        did(10, 11, { do: "miss" }),
      ),
    ).to.equal("possible");
  });

  it("can have happened in either order where they ran at the same time", () => {
    const overlapping = [did(0, 1, create("a")), did(2, 9, update("b")), did(3, 8, update("c"))];
    for (const last of ["b", "c"])
      expect(verdictOn(...overlapping, did(10, 11, see(last)))).to.equal("possible");
    expect(verdictOn(...overlapping, did(4, 5, see("b")), did(10, 11, see("b")))).to.equal("possible");
    expect(verdictOn(...overlapping, did(10, 11, see("a")))).to.equal("impossible");
  });

  it("can have had any outcome that nobody was told, at any time", () => {
    const unknown = [did(0, 1, create("a")), mayHave(2, update("b"))];
    for (const seen of ["a", "b"]) expect(verdictOn(...unknown, did(4, 5, see(seen)))).to.equal("possible");
    expect(verdictOn(...unknown, did(4, 5, see("b")), did(6, 7, see("a")))).to.equal("impossible");
    expect(verdictOn(did(0, 1, create("a")), mayHave(2, { do: "delete" }), did(9, 10, see("a")))).to.equal(
      "possible",
    );
  });

  it("cannot have lost an update", () => {
    expect(verdictOn(did(0, 1, create("a")), did(2, 3, update("b")), did(4, 5, see("a")))).to.equal(
      "impossible",
    );
  });

  it("cannot have been seen before the first or after the deletion, nor deleted twice", () => {
    const deleted = [did(2, 3, create("a")), did(4, 5, { do: "delete" })];
    expect(verdictOn(did(0, 1, see("a")), ...deleted)).to.equal("impossible");
    expect(verdictOn(...deleted, did(6, 7, see("a")))).to.equal("impossible");
    expect(verdictOn(...deleted, did(6, 7, { do: "delete" }))).to.equal("impossible");
    expect(verdictOn(...deleted, did(6, 7, { do: "see it there" }))).to.equal("impossible");
  });

  it("cannot have been missed while it was there, nor seen beneath a deleted parent", () => {
    expect(verdictOn(did(0, 1, create("a")), did(2, 3, { do: "miss" }))).to.equal("impossible");
    const orphan = [did(0, 1, create("a")), did(2, 3, { do: "delete parent" })];
    expect(verdictOn(...orphan, did(4, 5, { do: "miss" }))).to.equal("possible");
    expect(verdictOn(...orphan, did(4, 5, see("a")))).to.equal("impossible");
  });

  it("cannot have been seen in two orders by two clients", () => {
    const both = [did(0, 1, create("a")), did(2, 20, update("b")), did(2, 20, update("c"))];
    const seen = (...texts: readonly string[]) =>
      texts.map((text, at) => did(4 + 2 * at, 5 + 2 * at, see(text)));
    expect(verdictOn(...both, ...seen("b", "c"))).to.equal("possible");
    expect(verdictOn(...both, ...seen("b", "c", "b"))).to.equal("impossible");
  });

  it("may be lost with Redis back to what MySQL had, and no further", () => {
    const changed = [did(0, 1, create("a")), did(2, 3, { do: "drain" }), did(4, 5, update("b"))];
    const lost = [...changed, did(6, 7, { do: "lose" })];
    for (const left of ["a", "b"]) expect(verdictOn(...lost, did(8, 9, see(left)))).to.equal("possible");
    expect(verdictOn(...lost, did(8, 9, { do: "miss" }))).to.equal("impossible");
    const flushed = [...changed, did(5.1, 5.2, { do: "drain" }), did(6, 7, { do: "lose" })];
    expect(verdictOn(...flushed, did(8, 9, see("a")))).to.equal("impossible");
    expect(verdictOn(did(0, 1, create("a")), did(6, 7, { do: "lose" }), did(8, 9, { do: "miss" }))).to.equal(
      "possible",
    );
  });

  it("are settled after a loss once nothing waits any more", () => {
    const lost = [did(0, 1, create("a")), did(2, 3, update("b")), did(4, 5, { do: "lose" })];
    const drained = [...lost, did(6, 7, { do: "drain" })];
    expect(verdictOn(...lost, did(8, 9, see("a")), did(10, 11, see("b")))).to.equal("possible");
    expect(verdictOn(...drained, did(8, 9, see("a")), did(10, 11, see("b")))).to.equal("impossible");
  });

  it("may go back to what was there when the copy was made that is put back", () => {
    const course = [
      did(0, 1, create("a")),
      did(2, 3, { do: "copy" }),
      did(4, 5, update("b")),
      did(6, 7, { do: "drain" }),
      did(8, 9, { do: "delete" }),
      did(10, 11, { do: "drain" }),
      did(12, 13, { do: "put back" }),
    ];
    for (const text of ["a", "b"]) expect(verdictOn(...course, did(14, 15, see(text)))).to.equal("possible");
    const before = [did(0, 1, create("a")), did(1.1, 1.2, update("b")), did(1.3, 1.4, { do: "drain" })];
    expect(verdictOn(...before, ...course.slice(1, 2), ...course.slice(6), did(14, 15, see("a")))).to.equal(
      "impossible",
    );
  });

  it("may be thrown away by an operator where MySQL refuses it, and come back to their row", () => {
    const refused = [did(0, 1, create("refused")), did(2, 3, { do: "drain" }), did(4, 5, { do: "discard" })];
    expect(verdictOn(...refused, did(6, 7, { do: "miss" }))).to.equal("possible");
    expect(verdictOn(...refused, did(6, 7, see("refused")))).to.equal("impossible");
    const changed = [
      did(0, 1, create("a")),
      did(2, 3, { do: "drain" }),
      did(4, 5, update("refused")),
      did(6, 7, { do: "drain" }),
      did(8, 9, { do: "discard" }),
    ];
    expect(verdictOn(...changed, did(10, 11, see("a")))).to.equal("possible");
  });

  it("say which of them nothing led up to", () => {
    const verdict = linearize(model, [
      did(0, 1, create("a")),
      did(2, 3, { do: "delete" }),
      did(4, 5, see("a")),
      did(6, 7, { do: "miss" }),
    ]);
    expect(verdict.kind === "impossible" && verdict.stuckAt).to.include({ do: "see", beganMs: 4 });
  });

  it("are undecided where there is more to try than is allowed", () => {
    const many = Array.from({ length: 12 }, (_, at) => did(2, 20, update(`u${at}`)));
    expect(linearize(model, [did(0, 1, create("a")), ...many, did(30, 31, see("b"))], 100).kind).to.equal(
      "undecided",
    );
  });
});

const text = fc.constantFrom("a", "b", "refused");
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("create" as const, "update" as const), text }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("see" as const), text }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "delete" as const,
        "delete parent" as const,
        "discard" as const,
        "see it there" as const,
        "miss" as const,
        "drain" as const,
        "copy" as const,
        "lose" as const,
        "put back" as const,
      ),
    }),
  },
);
const operation: fc.Arbitrary<RecordOperation> = fc
  .tuple(
    deed,
    fc.integer({ min: 0, max: 12 }),
    fc.integer({ min: 0, max: 5 }),
    fc.constantFrom(0, 0, 0, 1, 2),
  )
  .map(([what, beganMs, lastsMs, uncertainty]) => ({
    ...what,
    beganMs,
    endedMs: uncertainty === 1 ? Infinity : beganMs + lastsMs,
    isCertain: uncertainty === 0,
  }));

describe("Any few operations on one record", () => {
  it("have an order exactly where one is found by trying all", () => {
    let possible = 0;
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 5 }), (others) => {
        // Most histories without one would be over at once.
        const operations = [did(0, 0, create("a")), ...others];
        const expected = hasOrder(model, operations);
        possible += Number(expected);
        expect(verdictOn(...operations)).to.equal(expected ? "possible" : "impossible");
      }),
      { numRuns: 5000 },
    );
    expect(possible).to.be.within(500, 4500);
  });
});
