/** A batch stays well under the smallest default `max_allowed_packet` of any server (16 MiB). */
const mostBatchBytes = 4 * 1024 * 1024;
/** What a statement has beside its rows, and to spare. */
const marginBytes = 1024;
/** For how long batches stay smaller than one that was lost on its way: then it is tried again. */
const suspicionMs = 10 * 60 * 1000;

/** How large a statement may be, as far as the server says and the way to it has shown. */
export class StatementLimit {
  #serverBytes = Infinity;
  #suspected: { readonly bytes: number; readonly untilMs: number } | undefined;

  /** Notes what the server said on its newest connection. */
  learn(serverBytes: number): void {
    this.#serverBytes = serverBytes;
  }

  /** Notes that statements of so many bytes do not come through, whatever the server says. */
  suspect(bytes: number): void {
    this.#suspected = { bytes, untilMs: performance.now() + suspicionMs };
  }

  /** How many bytes the rows of a batch may take, each counted at its most. */
  batchBytes(): number {
    const suspected = this.#suspected;
    const isSuspect = suspected !== undefined && performance.now() < suspected.untilMs;
    return Math.min(
      mostBatchBytes,
      this.#serverBytes - marginBytes,
      isSuspect ? Math.ceil(suspected.bytes / 2) : Infinity,
    );
  }
}

/** Thrown in place of a statement that the server would not take, with the server's own code. */
export class StatementTooLargeError extends Error {
  readonly code = "ER_NET_PACKET_TOO_LARGE";
  readonly errno = 1153;

  constructor(why: string, cause?: unknown) {
    super(why, { cause });
    this.name = "StatementTooLargeError";
  }
}

/** Bytes of a value that is no text, quotes and comma included: a number or a time. */
const otherBytes = 32;

/** Whether a statement with its values may be larger; tells so at a glance, as nearly all are far smaller. */
export function mayExceed(bytes: number, text: string, values: unknown): boolean {
  return mostBytesOf(text) + mostBytesOf(values) > bytes && bytesOf(text) + bytesOf(values) > bytes;
}

/** What a value can come to at most: a unit of UTF-16 takes three bytes, or two where it is escaped. */
function mostBytesOf(value: unknown): number {
  if (typeof value === "string") return 3 * value.length + otherBytes;
  if (!Array.isArray(value)) return otherBytes;
  let sum = 0;
  for (const one of value) sum += mostBytesOf(one);
  return sum;
}

/** What a value comes to, but for some bytes more: counted and not written out, as that takes a hundred times as long. */
function bytesOf(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value) + escapesIn(value) + quotesBytes;
  if (!Array.isArray(value)) return otherBytes;
  let sum = 0;
  for (const one of value) sum += bytesOf(one);
  return sum;
}

/** Quotes, parentheses and a comma. */
const quotesBytes = 6;
/** NUL, backspace, tab, line feed, carriage return, end of file, and both quotes and the backslash. */
const escaped = new Set([0, 8, 9, 10, 13, 26, 34, 39, 92]);

function escapesIn(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at += 1) if (escaped.has(text.charCodeAt(at))) count += 1;
  return count;
}
