import { readSync } from "node:fs";

/** Thrown for a file that is no snapshot, is cut off, or holds what this program cannot read. */
export class SnapshotError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SnapshotError";
  }
}

const chunkBytes = 256 * 1024;

/** How strings are stored that are not as they are: as a number of so many bytes, or compressed. */
const compressed = 3;

/**
 * Reads a part of a snapshot file from front to back, in small pieces; what was just written to disk is still
 * in memory there. It never holds more than a piece, or the string it is asked for.
 */
export class Cursor {
  readonly #file: number;
  readonly #end: number;
  #chunk: Buffer = Buffer.alloc(0);
  /** Where in the file the chunk begins, and where in the chunk the cursor is. */
  #chunkAt: number;
  #at = 0;

  /** `end` is the place of the first byte that is not to be read. */
  constructor(file: number, start: number, end: number) {
    this.#file = file;
    this.#chunkAt = start;
    this.#end = end;
  }

  /** The place in the file of the next byte. */
  get offset(): number {
    return this.#chunkAt + this.#at;
  }

  get isAtEnd(): boolean {
    return this.offset >= this.#end;
  }

  skip(bytes: number): void {
    if (this.offset + bytes > this.#end) throw new SnapshotError("the snapshot is cut off");
    if (this.#at + bytes <= this.#chunk.length) {
      this.#at += bytes;
      return;
    }
    this.#chunkAt = this.offset + bytes;
    this.#chunk = Buffer.alloc(0);
    this.#at = 0;
  }

  /** The next bytes; they are overwritten by nobody and must not be changed. */
  take(bytes: number): Buffer {
    if (this.#at + bytes > this.#chunk.length) this.#load(bytes);
    const taken = this.#chunk.subarray(this.#at, this.#at + bytes);
    this.#at += bytes;
    return taken;
  }

  byte(): number {
    if (this.#at >= this.#chunk.length) this.#load(1);
    const byte = this.#chunk[this.#at] ?? 0;
    this.#at += 1;
    return byte;
  }

  /** A count or a length. @throws {SnapshotError} where an encoded string stands in its place */
  length(): number {
    const { value, isEncoding } = this.#lengthOrEncoding();
    if (isEncoding) throw new SnapshotError("the snapshot has a string where a length is expected");
    return value;
  }

  skipString(): void {
    const { value, isEncoding } = this.#lengthOrEncoding();
    if (!isEncoding) this.skip(value);
    else if (value === compressed) {
      const stored = this.length();
      this.length();
      this.skip(stored);
    } else this.skip(bytesOfNumber(value));
  }

  string(): Buffer {
    const { value, isEncoding } = this.#lengthOrEncoding();
    if (!isEncoding) return this.take(value);
    if (value === compressed) {
      const stored = this.length();
      const length = this.length();
      return decompress(this.take(stored), length);
    }
    const bytes = bytesOfNumber(value);
    return Buffer.from(String(this.take(bytes).readIntLE(0, bytes)));
  }

  #lengthOrEncoding(): { value: number; isEncoding: boolean } {
    const first = this.byte();
    const low = first & 0x3f;
    switch (first >> 6) {
      case 0:
        return { value: low, isEncoding: false };
      case 1:
        return { value: (low << 8) | this.byte(), isEncoding: false };
      case 2:
        return { value: this.#longLength(first), isEncoding: false };
      default:
        return { value: low, isEncoding: true };
    }
  }

  #longLength(first: number): number {
    if (first === 0x80) return this.take(4).readUInt32BE();
    if (first === 0x81) return Number(this.take(8).readBigUInt64BE());
    throw new SnapshotError(`the snapshot has a length of unknown form ${first}`);
  }

  /** Makes the chunk begin at the cursor and hold at least so many bytes. */
  #load(atLeast: number): void {
    const from = this.offset;
    if (from + atLeast > this.#end) throw new SnapshotError("the snapshot is cut off");
    const wanted = Math.min(Math.max(atLeast, chunkBytes), this.#end - from);
    const chunk = Buffer.allocUnsafe(wanted);
    let read = 0;
    while (read < wanted) {
      const got = readSync(this.#file, chunk, read, wanted - read, from + read);
      if (got === 0) throw new SnapshotError("the snapshot is cut off");
      read += got;
    }
    this.#chunk = chunk;
    this.#chunkAt = from;
    this.#at = 0;
  }
}

function bytesOfNumber(encoding: number): number {
  if (encoding > 2) throw new SnapshotError(`the snapshot has a string of unknown encoding ${encoding}`);
  return 2 ** encoding;
}

/** Undoes LZF, which Redis compresses long strings with. */
export function decompress(source: Buffer, length: number): Buffer {
  const target = Buffer.alloc(length);
  let [from, to] = [0, 0];
  while (from < source.length) {
    const control = source[from++] ?? 0;
    if (control < 32) {
      source.copy(target, to, from, from + control + 1);
      from += control + 1;
      to += control + 1;
      continue;
    }
    let count = (control >> 5) + 2;
    if (count === 9) count += source[from++] ?? 0;
    let back = to - (((control & 31) << 8) | (source[from++] ?? 0)) - 1;
    // Byte by byte: what is copied may still be being written.
    for (; count > 0; count -= 1) target[to++] = target[back++] ?? 0;
  }
  if (to !== length) throw new SnapshotError("the snapshot has a compressed string of another length");
  return target;
}
