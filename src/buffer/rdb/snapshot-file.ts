import { createHash } from "node:crypto";
import { closeSync, createReadStream, fstatSync, openSync, readSync } from "node:fs";
import { setImmediate as rest } from "node:timers/promises";

import { Crc64 } from "./crc64.ts";
import { Cursor, SnapshotError } from "./cursor.ts";
import { plainHash, skipModule, skipValue, type Vendor, versionOf } from "./values.ts";

/** A key of a snapshot, and where in the file its value lies. */
export interface SnapshotEntry {
  readonly database: number;
  readonly key: Buffer;
  readonly type: number;
  /** Unix milliseconds; absent for a key that stays. */
  readonly expiresAtMs: number | undefined;
  readonly offset: number;
  readonly length: number;
}

const headBytes = 9;
const checksumBytes = 8;
/** Characters of a key in a message. */
const mostShown = 100;

const mark = {
  slotImport: 0xf3,
  functions: 0xf5,
  slot: 0xf4,
  moduleExtra: 0xf7,
  idle: 0xf8,
  frequency: 0xf9,
  extra: 0xfa,
  sizes: 0xfb,
  expiryMs: 0xfc,
  expirySeconds: 0xfd,
  database: 0xfe,
  end: 0xff,
} as const;

/** A snapshot of Redis, as Redis itself writes it (RDB), on disk. */
export class SnapshotFile {
  readonly #file: number;
  readonly bytes: number;
  readonly #vendor: Vendor;

  /** @throws {SnapshotError} for a file that does not begin as a snapshot does */
  constructor(path: string) {
    this.#file = openSync(path, "r");
    this.bytes = fstatSync(this.#file).size;
    const head = Buffer.alloc(headBytes);
    readSync(this.#file, head, 0, headBytes, 0);
    const vendor = /^(REDIS\d|VALKEY)\d{3}$/.exec(head.toString("latin1"))?.[1];
    if (vendor === undefined) {
      this.close();
      throw new SnapshotError("this is no snapshot of Redis: it does not begin with REDIS");
    }
    this.#vendor = vendor === "VALKEY" ? "valkey" : "redis";
  }

  close(): void {
    closeSync(this.#file);
  }

  /**
   * Every key, in the order of the file; the whole of it was sound in structure when this ends. Other work of
   * the process goes on meanwhile.
   *
   * @throws {SnapshotError} where it is cut off or holds what this program cannot read
   */
  async *entries(): AsyncGenerator<SnapshotEntry> {
    for (const entry of this.#walk()) {
      if (entry) yield entry;
      else await rest();
    }
  }

  /** The fields of a hash that is stored field by field. */
  *fields(entry: SnapshotEntry): Generator<readonly [field: Buffer, value: Buffer]> {
    if (entry.type !== plainHash) throw new Error("the entry is no plain hash");
    const cursor = new Cursor(this.#file, entry.offset, entry.offset + entry.length);
    for (let count = cursor.length(); count > 0; count -= 1) {
      const field = Buffer.from(cursor.string());
      yield [field, cursor.string()];
    }
  }

  /** A value as `RESTORE` takes it: its type, its bytes, the version of the format and a checksum. */
  dumped(entry: SnapshotEntry): Buffer {
    const body = new Cursor(this.#file, entry.offset, entry.offset + entry.length).take(entry.length);
    const version = Buffer.alloc(2);
    version.writeUInt16LE(versionOf(entry.type));
    const value = Buffer.concat([Buffer.of(entry.type), body, version]);
    return Buffer.concat([value, new Crc64().update(value).digest()]);
  }

  *#walk(): Generator<SnapshotEntry | undefined> {
    const cursor = new Cursor(this.#file, headBytes, this.bytes);
    let database = 0;
    let expiresAtMs: number | undefined;
    for (let passed = 0; ; passed += 1) {
      if (passed % 1000 === 999) yield undefined;
      const type = cursor.byte();
      if (type === mark.end) break;
      if (type === mark.database) database = cursor.length();
      else if (type === mark.expiryMs) expiresAtMs = Number(cursor.take(8).readBigInt64LE());
      else if (type === mark.expirySeconds) expiresAtMs = cursor.take(4).readInt32LE() * 1000;
      else if (type >= mark.slotImport) yield* skipRemark(cursor, type);
      else {
        const key = Buffer.from(cursor.string());
        const offset = cursor.offset;
        try {
          yield* skipValue(cursor, type, this.#vendor);
        } catch (error) {
          throw error instanceof SnapshotError
            ? new SnapshotError(`${error.message}, in the key ${shown(key)}`)
            : error;
        }
        yield { database, key, type, expiresAtMs, offset, length: cursor.offset - offset };
        expiresAtMs = undefined;
      }
    }
    cursor.skip(checksumBytes);
    if (!cursor.isAtEnd) throw new SnapshotError("the snapshot goes on after its end");
  }
}

/** A key as people can tell it, whatever bytes it has. */
function shown(key: Buffer): string {
  return JSON.stringify(key.toString("utf8").slice(0, mostShown));
}

/** Passes over what stands between the keys and is none. */
function* skipRemark(cursor: Cursor, type: number): Generator<undefined> {
  switch (type) {
    case mark.extra:
      cursor.skipString();
      cursor.skipString();
      return;
    case mark.sizes:
      cursor.length();
      cursor.length();
      return;
    case mark.slot:
      for (let at = 0; at < 3; at += 1) cursor.length();
      return;
    case mark.slotImport:
      cursor.skipString();
      for (let left = 2 * cursor.length(); left > 0; left -= 1) cursor.length();
      return;
    case mark.idle:
      cursor.length();
      return;
    case mark.frequency:
      cursor.skip(1);
      return;
    case mark.functions:
      cursor.skipString();
      return;
    case mark.moduleExtra:
      yield* skipModule(cursor);
      return;
    default:
      throw new SnapshotError(`the snapshot holds a part of unknown kind ${type}`);
  }
}

/**
 * Reads a file from disk as it is; answers its SHA-256, in hexadecimal.
 *
 * @throws {SnapshotError} where Redis' own checksum at its end does not fit; a Redis that is set to write
 * none leaves it 0
 */
export async function digestOf(path: string, bytes: number): Promise<string> {
  const [sha256, crc64] = [createHash("sha256"), new Crc64()];
  let [at, end] = [0, Buffer.alloc(0)];
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
    sha256.update(chunk);
    const summed = Math.max(0, Math.min(chunk.length, bytes - checksumBytes - at));
    crc64.update(chunk.subarray(0, summed));
    end = Buffer.concat([end, chunk.subarray(summed)]);
    at += chunk.length;
  }
  if (at !== bytes || end.length !== checksumBytes) throw new SnapshotError("the snapshot is cut off");
  if (!end.equals(Buffer.alloc(checksumBytes)) && !end.equals(crc64.digest())) {
    throw new SnapshotError("the snapshot's checksum does not fit: it is damaged");
  }
  return sha256.digest("hex");
}
