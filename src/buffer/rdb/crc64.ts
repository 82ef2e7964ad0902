/**
 * The CRC-64 that ends a snapshot and each dumped value (Jones' polynomial, reflected), in halves of 32 bits:
 * a snapshot of a gigabyte would take minutes with BigInt.
 */
const polynomial = { high: 0x95ac9329, low: 0xac4bc9b5 };

/** For each of eight positions, the remainder of each byte there. */
const tables = makeTables();

function makeTables(): { high: Uint32Array; low: Uint32Array } {
  const [high, low] = [new Uint32Array(8 * 256), new Uint32Array(8 * 256)];
  for (let byte = 0; byte < 256; byte += 1) {
    let [h, l] = [0, byte];
    for (let bit = 0; bit < 8; bit += 1) {
      const carry = l & 1;
      l = (l >>> 1) | (h << 31);
      h >>>= 1;
      if (carry) {
        h ^= polynomial.high;
        l ^= polynomial.low;
      }
    }
    high[byte] = h;
    low[byte] = l;
  }
  for (let at = 256; at < 8 * 256; at += 1) {
    const [h, l] = [high[at - 256] ?? 0, low[at - 256] ?? 0];
    high[at] = (h >>> 8) ^ (high[l & 255] ?? 0);
    low[at] = ((l >>> 8) | (h << 24)) ^ (low[l & 255] ?? 0);
  }
  return { high, low };
}

/** A checksum that grows with the bytes it is given. */
export class Crc64 {
  #high = 0;
  #low = 0;

  update(bytes: Uint8Array): this {
    let [high, low, at] = [this.#high, this.#low, 0];
    const { high: th, low: tl } = tables;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (; at + 8 <= bytes.length; at += 8) {
      low ^= view.getUint32(at, true);
      high ^= view.getUint32(at + 4, true);
      const places = [
        1792 + (low & 255),
        1536 + ((low >>> 8) & 255),
        1280 + ((low >>> 16) & 255),
        1024 + (low >>> 24),
        768 + (high & 255),
        512 + ((high >>> 8) & 255),
        256 + ((high >>> 16) & 255),
        high >>> 24,
      ] as const;
      [high, low] = [0, 0];
      for (const place of places) {
        high ^= th[place] ?? 0;
        low ^= tl[place] ?? 0;
      }
    }
    for (; at < bytes.length; at += 1) {
      const place = (low ^ view.getUint8(at)) & 255;
      low = ((low >>> 8) | (high << 24)) ^ (tl[place] ?? 0);
      high = (high >>> 8) ^ (th[place] ?? 0);
    }
    [this.#high, this.#low] = [high, low];
    return this;
  }

  /** The eight bytes of the checksum as Redis writes them. */
  digest(): Buffer {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32LE(this.#low >>> 0, 0);
    bytes.writeUInt32LE(this.#high >>> 0, 4);
    return bytes;
  }
}
