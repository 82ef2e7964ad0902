import { expect } from "chai";
import fc from "fast-check";

import { writeIsolating } from "../../src/flusher/isolate.ts";
import { NotUniqueError } from "../../src/store/failure.ts";
import { nothingWritten, type WriteOutcome } from "../../src/store/outcome.ts";

const failing = (code: string, errno: number) => Object.assign(new Error("injected"), { code, errno });
const tooLong = () => failing("ER_DATA_TOO_LONG", 1406);
const signalled = (code = "ER_SIGNAL_EXCEPTION", errno = 1644) =>
  Object.assign(failing(code, errno), { sqlState: "45000" });
const notUnique = () => new NotUniqueError(failing("ER_DUP_ENTRY", 1062));
const tooLarge = () => failing("ER_NET_PACKET_TOO_LARGE", 1153);

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

/** A table that refuses statements, and remembers what it took and how often it was asked. */
function tableThat(refusal: (rows: readonly number[]) => Error | undefined) {
  const stored: number[] = [];
  const statements: (readonly number[])[] = [];
  const write = (rows: readonly number[]): Promise<WriteOutcome> => {
    statements.push(rows);
    const error = refusal(rows);
    if (error) return Promise.reject(error);
    stored.push(...rows);
    return Promise.resolve({ ...nothingWritten, inserted: rows.length });
  };
  return { stored, statements, write };
}

describe("Writing rows of which MySQL refuses some", () => {
  it("is one statement where it refuses none, and none where there are no rows", async () => {
    const table = tableThat(() => undefined);
    expect(await writeIsolating(table.write, upTo(1000))).to.deep.equal({
      outcome: { ...nothingWritten, inserted: 1000 },
      refused: new Map(),
    });
    expect(table.statements).to.have.lengthOf(1);
    expect(await writeIsolating(table.write, [])).to.deep.equal({
      outcome: nothingWritten,
      refused: new Map(),
    });
    expect(table.statements).to.have.lengthOf(1);
  });

  it("lands 999 of 1,000 in few statements, wherever the bad one is", async () => {
    for (const bad of [1, 2, 499, 500, 501, 640, 999, 1000]) {
      const table = tableThat((rows) => (rows.includes(bad) ? tooLong() : undefined));
      const { outcome, refused } = await writeIsolating(table.write, upTo(1000));
      expect(outcome).to.deep.equal({ ...nothingWritten, inserted: 999 });
      expect([...refused]).to.deep.equal([[bad, "ER_DATA_TOO_LONG (1406)"]]);
      expect(table.stored).to.deep.equal(upTo(1000).filter((number) => number !== bad));
      expect(table.statements.length).to.be.at.most(21);
    }
  });

  it("lands all others and accounts for each, whichever are bad", async () => {
    const some = fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 200 }), some, async (count, chosen) => {
        const bad = chosen.filter((number) => number <= count).sort((a, b) => a - b);
        const table = tableThat((rows) => (rows.some((row) => bad.includes(row)) ? tooLong() : undefined));
        const { outcome, refused } = await writeIsolating(table.write, upTo(count));
        expect(outcome.inserted + refused.size).to.equal(count);
        expect([...refused.keys()].sort((a, b) => a - b)).to.deep.equal(bad);
        expect(table.stored).to.deep.equal(upTo(count).filter((number) => !bad.includes(number)));
        expect(table.statements.length).to.be.at.most(1 + 2 * bad.length * Math.ceil(Math.log2(count + 1)));
      }),
    );
  });

  it("halves a statement that is too large until it is taken, and refuses what is too large alone", async () => {
    const table = tableThat((rows) => (rows.length > 100 || rows.includes(700) ? tooLarge() : undefined));
    const { outcome, refused } = await writeIsolating(table.write, upTo(1000));
    expect(outcome).to.deep.equal({ ...nothingWritten, inserted: 999 });
    expect([...refused]).to.deep.equal([[700, "ER_NET_PACKET_TOO_LARGE (1153)"]]);
    expect(table.stored).to.deep.equal(upTo(1000).filter((number) => number !== 700));
  });

  it("refuses nothing for a reason that is not known and ends while the rows are halved", async () => {
    let refusals = 0;
    const table = tableThat(() => ((refusals += 1) <= 5 ? signalled() : undefined));
    const { outcome, refused } = await writeIsolating(table.write, upTo(16));
    expect(outcome).to.deep.equal({ ...nothingWritten, inserted: 16 });
    expect([...refused]).to.deep.equal([]);
    expect([...table.stored].sort((a, b) => a - b)).to.deep.equal(upTo(16));
  });

  it("halves down to the row where the server's reason is not known, and lands the others", async () => {
    const table = tableThat((rows) => (rows.includes(700) ? signalled() : undefined));
    const { outcome, refused } = await writeIsolating(table.write, upTo(1000));
    expect(outcome).to.deep.equal({ ...nothingWritten, inserted: 999 });
    expect([...refused]).to.deep.equal([[700, "ER_SIGNAL_EXCEPTION (1644)"]]);
    const alone = await writeIsolating(table.write, [700]);
    expect([...alone.refused]).to.deep.equal([[700, "ER_SIGNAL_EXCEPTION (1644)"]]);
  });

  it("refuses none where the server refuses each of several for the same reason, which is not known", async () => {
    for (const count of [2, 3, 50]) {
      const table = tableThat(() => signalled());
      const outcome: unknown = await writeIsolating(table.write, upTo(count)).catch(
        (thrown: unknown) => thrown,
      );
      expect(outcome).to.have.property("errno", 1644);
    }
  });

  it("refuses each of several where the reasons differ, or lie in a row", async () => {
    const differing = tableThat((rows) =>
      rows.includes(1) ? signalled() : signalled("ER_NO_PARTITION_FOR_GIVEN_VALUE", 1526),
    );
    expect((await writeIsolating(differing.write, upTo(3))).refused.size).to.equal(3);
    const known = tableThat(() => tooLong());
    expect((await writeIsolating(known.write, upTo(3))).refused.size).to.equal(3);
  });

  it("refuses each of several that are not unique, and none that is when its neighbours are written", async () => {
    const all = tableThat(() => notUnique());
    expect((await writeIsolating(all.write, upTo(3))).refused.size).to.equal(3);
    const givenUp = tableThat((rows) =>
      rows.includes(1) && !givenUp.stored.includes(7) ? notUnique() : undefined,
    );
    expect((await writeIsolating(givenUp.write, upTo(8))).refused.size).to.equal(0);
    expect([...givenUp.stored].sort((a, b) => a - b)).to.deep.equal(upTo(8));
  });

  it("adds up what became of the parts", async () => {
    const outcomeOf = (rows: readonly number[]): WriteOutcome => ({
      ...nothingWritten,
      inserted: rows.filter((row) => row % 4 === 0).length,
      alreadyThere: rows.filter((row) => row % 4 === 1).length,
      updated: rows.filter((row) => row % 4 === 2).length,
      superseded: rows.filter((row) => row % 4 === 3).length,
    });
    const write = (rows: readonly number[]) =>
      rows.includes(6) ? Promise.reject(tooLong()) : Promise.resolve(outcomeOf(rows));
    const { outcome, refused } = await writeIsolating(write, upTo(100));
    expect(outcome).to.deep.equal({ ...outcomeOf(upTo(100)), updated: 24 });
    expect(refused.size).to.equal(1);
  });

  for (const [what, error] of [
    ["an outage", failing("ECONNREFUSED", -111)],
    ["contention", failing("ER_LOCK_DEADLOCK", 1213)],
    ["a defect", failing("ER_NO_SUCH_TABLE", 1146)],
    ["a duplicate", failing("ER_DUP_ENTRY", 1062)],
    ["an error of ours", new TypeError("x is not a function")],
  ] as const) {
    it(`passes ${what} on at once, also from a half`, async () => {
      for (const rows of [upTo(10), upTo(1)]) {
        const table = tableThat(() => error);
        const outcome: unknown = await writeIsolating(table.write, rows).catch((thrown: unknown) => thrown);
        expect(outcome).to.equal(error);
        expect(table.statements).to.have.lengthOf(1);
      }
      const half = tableThat((rows) =>
        rows.length === 10 ? tooLong() : rows.includes(10) ? error : undefined,
      );
      const outcome: unknown = await writeIsolating(half.write, upTo(10)).catch((thrown: unknown) => thrown);
      expect(outcome).to.equal(error);
      expect(half.statements).to.have.lengthOf(3);
    });
  }
});
