import { decodeRecord, stampOf } from "../records/payload.ts";
import type { PendingRecord } from "../records/records.ts";
import type { Keys } from "./keys.ts";
import type { Parent, Place } from "./references.ts";
import type { Scripts } from "./scripts.ts";
import { UnexpectedReplyError } from "./scripts.ts";

/** A record as the buffer has it, or that it has none; a change to it names what was seen. */
export type Seen =
  /**
   * "pending": MySQL may not have it yet. "revision": MySQL has it, and this is to replace it, unless MySQL
   * refused that. "dead": MySQL refused it.
   */
  | {
      readonly kind: "pending" | "revision" | "dead";
      readonly record: PendingRecord;
      /** Of the payload as it lies there: an earlier version of Sluice may have written it in another form. */
      readonly stamp: string;
      readonly version: string;
    }
  | { readonly kind: "absent"; readonly version: string };

export type Found =
  | Seen
  /** What the record belongs to was deleted. */
  | { readonly kind: "gone" };

export interface NumberedRecord {
  readonly number: number;
  readonly record: PendingRecord;
}

export interface PendingPage {
  /** All that the parent has pending and not deleted, in and out of this page. */
  readonly pendingCount: number;
  /** The lowest pending number: whatever exists below it is in MySQL. Absent when nothing is pending. */
  readonly lowest: number | undefined;
  readonly records: readonly NumberedRecord[];
  /** Whether the records were left out, as so many numbers lie before them that the page may be full without. */
  readonly isFar: boolean;
  /** What is to replace, or remove, records of the parent, wherever in the list. */
  readonly revisions: readonly NumberedRecord[];
  /** New records that MySQL refused, wherever in the list. */
  readonly dead: readonly NumberedRecord[];
}

export interface PendingQuery {
  readonly order: "asc" | "desc";
  /** Numbers beyond this one, in the order asked for; absent is from the start. */
  readonly cursor: number | undefined;
  readonly skip: number;
  readonly limit: number;
  /** Spares records that the page has no room for if all numbers below them exist; ascending only. */
  readonly nearOnly?: boolean;
}

/** Reads what is accepted or changed and not yet in MySQL. */
export class PendingReads {
  readonly #scripts: Scripts;
  readonly #keys: Keys;

  constructor(scripts: Scripts, keys: Keys) {
    this.#scripts = scripts;
    this.#keys = keys;
  }

  /** What the buffer has at a place. */
  async find(place: Place): Promise<Found> {
    return findReply(await this.#scripts.run("find", this.#keysOf(place), [place.number]));
  }

  /** A page of a parent's pending records as of one moment; nothing where the parent was deleted. */
  async page(parent: Parent, query: PendingQuery): Promise<PendingPage | "gone"> {
    const start = query.order === "asc" ? 0 : Number.MAX_SAFE_INTEGER;
    const wanted = query.nearOnly ? "near" : "";
    const args = [query.order, query.cursor ?? start, query.skip, query.limit, wanted];
    return pageReply(await this.#scripts.run("page", this.#keysOf(parent), args));
  }

  #keysOf(parent: Parent): string[] {
    return [this.#keys.counter({ token: parent.token }), ...this.#keys.beneath(parent)];
  }
}

function findReply(reply: unknown): Found {
  const [kind, version, payload] = Array.isArray(reply) ? (reply as unknown[]) : [];
  if (kind === "gone") return { kind };
  if (typeof version === "string") {
    if (kind === "absent") return { kind, version };
    if ((kind === "pending" || kind === "revision" || kind === "dead") && typeof payload === "string") {
      return { kind, version, record: decodeRecord(payload), stamp: stampOf(payload) };
    }
  }
  throw new UnexpectedReplyError("find", reply);
}

function pageReply(reply: unknown): PendingPage | "gone" {
  const [kind, pendingCount, lowest, ...lists] = Array.isArray(reply) ? (reply as unknown[]) : [];
  if (kind === "gone") return kind;
  if (kind !== "page" || typeof pendingCount !== "number") throw new UnexpectedReplyError("page", reply);
  return {
    pendingCount,
    lowest: typeof lowest === "number" ? lowest : undefined,
    records: numberedRecords(lists[0]),
    isFar: lists[0] === null,
    revisions: numberedRecords(lists[1]),
    dead: numberedRecords(lists[2]),
  };
}

function numberedRecords(pairs: unknown): NumberedRecord[] {
  const flat = Array.isArray(pairs) ? (pairs as unknown[]) : [];
  const records: NumberedRecord[] = [];
  for (let at = 0; at < flat.length; at += 2) {
    const [number, payload] = [flat[at], flat[at + 1]];
    if (typeof payload === "string") records.push({ number: Number(number), record: decodeRecord(payload) });
  }
  return records;
}
