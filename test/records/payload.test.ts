import { expect } from "chai";
import fc from "fast-check";

import { kinds } from "../../src/records/fields.ts";
import {
  decodeRecord,
  encodeRecord,
  isTombstone,
  OtherVersionError,
  stampOf,
  UnreadableRecordError,
} from "../../src/records/payload.ts";
import { type Fields, newRecord, noFields, type PendingRecord } from "../../src/records/records.ts";

const idCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
const idCharacter = fc.nat(idCharacters.length - 1).map((at) => idCharacters.charAt(at));
const word = (minLength: number, maxLength: number) => fc.string({ unit: idCharacter, minLength, maxLength });

/** Any text that UTF-8 can spell, with plenty of what a format built on separators could stumble over. */
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("|", "=", "-", "\0", "😀", "\u2028", '"', "\\", "\n", "1", "é", "ש") }),
);

/** From the first to the last millisecond that MySQL's DATETIME(3) can hold after the epoch. */
const time = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31, 23, 59, 59, 999) });

/** What a record says: a text, none, or that it was deleted. */
const content = fc.oneof(
  { weight: 9, arbitrary: fc.record({ text: fc.option(text), isDeleted: fc.constant(false) }) },
  { weight: 1, arbitrary: fc.constant({ text: null, isDeleted: true }) },
);

const fields = kinds.flatMap((kind) => kind.fields);
const newestVersion = Math.max(2, ...fields.map(({ since }) => since));
const allUnset: Fields = Object.fromEntries(fields.map(({ name }) => [name, null]));

/** Any of the fields that records may have, each with any text. */
const someFields = fc
  .record(Object.fromEntries(fields.map(({ name }) => [name, text])), { requiredKeys: [] })
  .map((set) => (Object.keys(set).length === 0 ? noFields : (set as Fields)));

const record: fc.Arbitrary<PendingRecord> = fc
  .tuple(
    fc.record({ operationId: word(1, 16), revision: word(0, 8), createdAtMs: time, updatedAtMs: time }),
    content,
    someFields,
  )
  .map(([head, rest, set]) => {
    const kept = rest.isDeleted ? noFields : set;
    // A change says of each field what it is to be.
    return { ...head, ...rest, fields: head.revision === "" ? kept : { ...allUnset, ...kept } };
  });

const example: PendingRecord = {
  operationId: "operation-000001",
  revision: "",
  createdAtMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  updatedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  text: "hello",
  fields: noFields,
  isDeleted: false,
};

describe("A pending record", () => {
  it("comes out of the buffer's form as it went in, whatever its text", () => {
    fc.assert(
      fc.property(record, (original) => {
        expect(decodeRecord(encodeRecord(original))).to.deep.equal(original);
      }),
      { numRuns: 1000 },
    );
  });

  it("survives the way through UTF-8 too", () => {
    fc.assert(
      fc.property(record, (original) => {
        const bytes = Buffer.from(encodeRecord(original), "utf8");
        expect(decodeRecord(bytes.toString("utf8"))).to.deep.equal(original);
      }),
    );
  });

  it("tells no title from an empty one, and from one that looks like the mark of either", () => {
    for (const title of [null, "", "-", "=", "=-", "-=", "x", "=x"]) {
      const { text: read, isDeleted } = decodeRecord(encodeRecord({ ...example, text: title }));
      expect([read, isDeleted]).to.deep.equal([title, false]);
    }
  });

  it("is as new as its creation, and not changed or deleted, when it is made", () => {
    const { createdAtMs } = example;
    expect(newRecord("operation-000001", createdAtMs, "hello")).to.deep.equal(example);
    expect(decodeRecord(encodeRecord(newRecord("a", 0, null)))).to.deep.equal({
      operationId: "a",
      revision: "",
      createdAtMs: 0,
      updatedAtMs: 0,
      text: null,
      fields: noFields,
      isDeleted: false,
    });
  });

  it("that was deleted says so right behind its stamp, as the scripts know it", () => {
    fc.assert(
      fc.property(record, (original) => {
        const payload = encodeRecord(original);
        const byScripts = /^[^|]*\|[^|]*\|[^|]*\|x/.test(payload);
        expect([byScripts, isTombstone(payload)]).to.deep.equal([original.isDeleted, original.isDeleted]);
      }),
    );
  });

  it("keeps an update in the same millisecond, and one that a clock set back dates earlier", () => {
    for (const updatedAtMs of [example.createdAtMs, example.createdAtMs - 1, example.createdAtMs + 1]) {
      expect(decodeRecord(encodeRecord({ ...example, updatedAtMs })).updatedAtMs).to.equal(updatedAtMs);
    }
  });

  it("costs fewer than 60 bytes beyond its text", () => {
    expect(Buffer.byteLength(encodeRecord({ ...example, updatedAtMs: example.updatedAtMs + 1 }))).to.be.below(
      60 + "hello".length,
    );
  });
});

describe("A payload's stamp", () => {
  it("begins another payload exactly when operation id and revision are the same", () => {
    const few = fc.constantFrom("a", "ab", "abc", "b");
    const fewOrNone = fc.constantFrom("", "a", "ab", "b");
    fc.assert(
      fc.property(record, record, few, few, fewOrNone, fewOrNone, (one, other, id1, id2, rev1, rev2) => {
        const stamp = stampOf(encodeRecord({ ...one, operationId: id1, revision: rev1 }));
        const payload = encodeRecord({ ...other, fields: one.fields, operationId: id2, revision: rev2 });
        expect(payload.startsWith(stamp)).to.equal(id1 === id2 && rev1 === rev2);
      }),
      { numRuns: 1000 },
    );
  });

  it("begins its own payload, and is equal for two payloads with the same id and revision", () => {
    fc.assert(
      fc.property(record, text, (original, otherText) => {
        const payload = encodeRecord(original);
        expect(payload.startsWith(stampOf(payload))).to.equal(true);
        expect(stampOf(encodeRecord({ ...original, text: otherText, isDeleted: false }))).to.equal(
          stampOf(payload),
        );
      }),
    );
  });
});

describe("A payload that no version of Sluice wrote", () => {
  const [version = "", operationId = "", revision = "", timed = "", updated = ""] =
    encodeRecord(example).split("|");
  const created = timed.slice(1);
  const payload = (...parts: string[]) => parts.join("|");

  const damaged: Record<string, string> = {
    empty: "",
    "a bare word": "hello",
    "JSON, as it might be after an upgrade": '{"version":2}',
    "version 0": payload("0", operationId, revision, timed, updated, "", "hello"),
    "no version": payload("", operationId, revision, timed, updated, "", "hello"),
    "no operation id": payload(version, "", revision, timed, updated, "", "hello"),
    "no state": payload(version, operationId, revision, created, updated, "", "hello"),
    "no time": payload(version, operationId, revision, "=", updated, "", "hello"),
    "a time that is no number": payload(version, operationId, revision, "=~~", updated, "", "hello"),
    "a time with something after it": payload(version, operationId, revision, `${timed}~`, "", "", "hello"),
    "a time that no Date can hold": payload(
      version,
      operationId,
      revision,
      `=${"z".repeat(12)}`,
      "",
      "",
      "hello",
    ),
    "a damaged time of the update": payload(version, operationId, revision, timed, "~", "", "hello"),
    "a field that no version knows": payload(version, operationId, revision, timed, updated, "q1:a", "hello"),
    "a field without a length": payload(version, operationId, revision, timed, updated, "q", "hello"),
    "nothing where the fields should be": payload(version, operationId, revision, timed, updated, "hello"),
    "a text of a deleted record": payload(
      version,
      operationId,
      revision,
      `x${created}`,
      updated,
      "",
      "hello",
    ),
    "a text where there is none": payload(
      version,
      operationId,
      revision,
      `-${created}`,
      updated,
      "",
      "hello",
    ),
  };

  for (const [what, bytes] of Object.entries(damaged)) {
    it(`is refused: ${what}`, () => {
      expect(() => decodeRecord(bytes)).to.throw(UnreadableRecordError);
    });
  }

  it("and that another one may have written, is told from damage", () => {
    for (const other of [
      payload(String(newestVersion + 1), ""),
      payload("1", operationId, "", created, "", "=hello"),
      payload("17", "anything"),
    ]) {
      expect(() => decodeRecord(other)).to.throw(OtherVersionError);
    }
  });

  it("is refused wherever the head of a good one is cut off", () => {
    const whole = encodeRecord(example);
    for (let length = 0; length < whole.length - "hello".length; length += 1) {
      expect(() => decodeRecord(whole.slice(0, length))).to.throw(UnreadableRecordError);
    }
  });

  it("is refused without its bytes in the message, as they may be a user's own", () => {
    const secret = payload(version, operationId, revision, timed, updated, "a private text");
    expect(() => decodeRecord(secret))
      .to.throw(UnreadableRecordError)
      .with.property("message")
      .that.does.not.include("private");
  });
});
