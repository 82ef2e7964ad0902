import { decodeRecord, OtherVersionError, stampOf, UnreadableRecordError } from "../records/payload.ts";
import type { PendingRecord } from "../records/records.ts";
import { type ListName, type Place, type Reference, referencePrefix } from "./references.ts";

/** A pending record, or a revision of a stored one, as it stood when it was read. */
export interface PendingEntry extends Reference {
  readonly record: PendingRecord;
  /** What the payload must still begin with for an ack to remove it. */
  readonly stamp: string;
}

/** Why a record is not written: MySQL refuses what it holds, or another record has its number. */
export interface Death {
  readonly kind: "refused" | "conflict";
  /** For people. */
  readonly reason: string;
}

/** A record whose payload no version of Sluice wrote. */
export interface UnreadableEntry extends Reference {
  /** All of the payload. */
  readonly stamp: string;
  readonly reason: string;
}

/** What is said of an entry of a list that is no reference. */
export const strayReason = "unreadable: no reference to a record";

/** The head of a pending list. */
export interface Batch {
  readonly list: ListName;
  readonly partition: number;
  /** How many references had left the list before the first of these: it tells this head of the list from any other. */
  readonly position: number;
  /** The epoch under which they were read: positions begin anew with the data. */
  readonly epoch: string;
  /** References taken from the list; those of records that have vanished with their chat have no entry. */
  readonly references: readonly string[];
  /** What is to be written. */
  readonly entries: readonly PendingEntry[];
  /** What belongs to a deleted application: to be removed, and not written. */
  readonly orphans: readonly PendingEntry[];
  /** What nobody can read: to be set aside, and not written. */
  readonly unreadable: readonly UnreadableEntry[];
  /** Where the records of the references without an entry were. */
  readonly vanished: readonly Reference[];
  /** Those of the references that are none: to be set aside as well. */
  readonly strays: readonly string[];
}

/** A flush that MySQL has committed. */
export interface CommittedFlush {
  readonly epoch: string;
  readonly flushSequence: number;
}

export interface BatchLimits {
  readonly maxRows: number;
  /** Bytes of the statement that will write the batch; a single record may be larger. */
  readonly maxBytes: number;
}

/** A listed record with its payload, or the error that says that another version of Sluice wrote it. */
export function openEntry(
  reference: Reference,
  payload: string,
): PendingEntry | UnreadableEntry | OtherVersionError {
  try {
    return opened(reference, decodeRecord(payload), stampOf(payload));
  } catch (error) {
    if (error instanceof OtherVersionError) return error;
    if (!(error instanceof UnreadableRecordError)) throw error;
    return { ...reference, stamp: payload, reason: `unreadable: ${error.message}` };
  }
}

/** Field by field: to spread the reference would take several times what all of the decoding does. */
function opened(reference: Reference, record: PendingRecord, stamp: string): PendingEntry {
  const { token, chatNumber, number, origin } = reference;
  if (chatNumber === undefined) return { token, number, origin, record, stamp };
  return { token, chatNumber, number, origin, record, stamp };
}

export function isReadable(entry: PendingEntry | UnreadableEntry): entry is PendingEntry {
  return "record" in entry;
}

export function isUnreadable(entry: PendingEntry | UnreadableEntry): entry is UnreadableEntry {
  return !isReadable(entry);
}

/** Groups places by parent, and by what else tells them apart; each group under its reference prefix. */
export function byParent<T extends Place>(
  places: readonly T[],
  kindOf: (place: T) => string = () => "",
): Map<string, [T, ...T[]]> {
  const groups = new Map<string, [T, ...T[]]>();
  for (const place of places) {
    const key = `${referencePrefix(place)}${kindOf(place)}`;
    const group = groups.get(key);
    if (group) group.push(place);
    else groups.set(key, [place]);
  }
  return groups;
}
