import { type Cursor, SnapshotError } from "./cursor.ts";

/** The type of a hash that lies in the file field by field; others are stored as one compact string. */
export const plainHash = 4;
/** Who wrote a snapshot: from type 22 on Redis and Valkey went apart. */
export type Vendor = "redis" | "valkey";

/** Of Redis 7.0, the oldest that Sluice runs on; and the one that compact sets came with. */
const oldestVersion = 10;
const newerVersions = new Map([[20, 11]]);

/**
 * The oldest version of the format that has a type as it is written today: under it a server of any vendor takes a
 * value that it knows, whoever has dumped it.
 */
export function versionOf(type: number): number {
  return newerVersions.get(type) ?? oldestVersion;
}

/** Passes over one value; yields now and then, so that a huge one does not hold up its reader's process. */
type Skip = (cursor: Cursor, type: number) => Generator<undefined>;

const elementsBetweenRests = 2000;

function* times(count: number, skip: () => void): Generator<undefined> {
  for (let at = 1; at <= count; at += 1) {
    skip();
    if (at % elementsBetweenRests === 0) yield undefined;
  }
}

const oneString: Skip = function* (cursor) {
  yield* times(1, () => {
    cursor.skipString();
  });
};

const strings = (each: number): Skip =>
  function* (cursor) {
    yield* times(cursor.length() * each, () => {
      cursor.skipString();
    });
  };

/** Scores as text, with three lengths that stand for no number and the infinities. */
const oldSortedSet: Skip = function* (cursor) {
  yield* times(cursor.length(), () => {
    cursor.skipString();
    const length = cursor.byte();
    if (length < 253) cursor.skip(length);
  });
};

const sortedSet: Skip = function* (cursor) {
  yield* times(cursor.length(), () => {
    cursor.skipString();
    cursor.skip(8);
  });
};

const quicklist: Skip = function* (cursor) {
  yield* times(cursor.length(), () => {
    cursor.length();
    cursor.skipString();
  });
};

/** A hash whose fields may expire. */
const expiringHash: Skip = function* (cursor, type) {
  if (type === 24) cursor.skip(8);
  yield* times(cursor.length(), () => {
    cursor.length();
    cursor.skipString();
    cursor.skipString();
  });
};

const expiringCompactHash: Skip = function* (cursor, type) {
  if (type === 25) cursor.skip(8);
  yield* oneString(cursor, type);
};

/** Valkey's hash whose fields may expire: each has a time behind it. */
const valkeyExpiringHash: Skip = function* (cursor) {
  yield* times(cursor.length(), () => {
    cursor.skipString();
    cursor.skipString();
    cursor.skip(8);
  });
};

const stream: Skip = function* (cursor, type) {
  const lengths = (count: number) => {
    for (let at = 0; at < count; at += 1) cursor.length();
  };
  yield* times(cursor.length() * 2, () => {
    cursor.skipString();
  });
  lengths(type >= 19 ? 8 : 3);
  for (let groups = cursor.length(); groups > 0; groups -= 1) {
    cursor.skipString();
    lengths(type >= 19 ? 3 : 2);
    yield* times(cursor.length(), () => {
      cursor.skip(16 + 8);
      cursor.length();
    });
    for (let consumers = cursor.length(); consumers > 0; consumers -= 1) {
      cursor.skipString();
      cursor.skip(type >= 21 ? 16 : 8);
      yield* times(cursor.length(), () => {
        cursor.skip(16);
      });
    }
  }
};

/** What a module saved: its name, then parts that say what they are, up to an end mark. */
export function* skipModule(cursor: Cursor): Generator<undefined> {
  cursor.length();
  for (let part = cursor.length(); part !== 0; part = cursor.length()) {
    if (part <= 2) cursor.length();
    else if (part === 3) cursor.skip(4);
    else if (part === 4) cursor.skip(8);
    else if (part === 5) cursor.skipString();
    else throw new SnapshotError(`the snapshot holds a module's data of unknown form ${part}`);
    yield undefined;
  }
}

const common: readonly (readonly [number, Skip])[] = [
  [0, oneString],
  [1, strings(1)],
  [2, strings(1)],
  [3, oldSortedSet],
  [plainHash, strings(2)],
  [5, sortedSet],
  [7, skipModule],
  ...[9, 10, 11, 12, 13, 16, 17, 20].map((type) => [type, oneString] as const),
  [14, strings(1)],
  [15, stream],
  [18, quicklist],
  [19, stream],
  [21, stream],
];

const skips: Readonly<Record<Vendor, ReadonlyMap<number, Skip>>> = {
  redis: new Map([
    ...common,
    [22, expiringHash],
    [23, expiringCompactHash],
    [24, expiringHash],
    [25, expiringCompactHash],
  ]),
  valkey: new Map([...common, [22, valkeyExpiringHash]]),
};

/**
 * Passes over a value of any type that Redis 4 to 8 and Valkey 7 to 9 write. No length stands before a value: one of
 * another type cannot be passed over.
 *
 * @throws {SnapshotError} for such a one
 */
export function* skipValue(cursor: Cursor, type: number, vendor: Vendor): Generator<undefined> {
  const skip = skips[vendor].get(type);
  if (!skip) throw new SnapshotError(`the snapshot holds a value of unknown type ${type}`);
  yield* skip(cursor, type);
}
