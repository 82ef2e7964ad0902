/**
 * `src/records.ts` as a later version might have it, for tests of an upgrade: `next-version.mjs` loads it in its place.
 * It writes a further word into the header, and reads what this version wrote as well. The number of fields stays,
 * and the text in the last: the scripts know a deleted record by them.
 */
import {
  decodeRecord as decodeThis,
  discardedRevision,
  encodeRecord as encodeThis,
  isOfNewerVersion as isNewerThanThis,
  NewerRecordError,
  newRecord,
  type PendingRecord,
  stampOf,
  tombstone,
  UnreadableRecordError,
} from "../../src/records.ts";

export { discardedRevision, NewerRecordError, newRecord, stampOf, tombstone, UnreadableRecordError };

const thisVersion = encodeThis(newRecord("none", 0, null)).split("|")[0] ?? "";
const nextVersion = String(Number(thisVersion) + 1);
const thisHeader = new RegExp(`^${thisVersion}((?:\\|[^|]*){4})\\|`);
const nextHeader = new RegExp(`^${nextVersion}((?:\\|[^|]*){3}\\|[^|,]*),added\\|`);

export function encodeRecord(record: PendingRecord): string {
  return encodeThis(record).replace(thisHeader, `${nextVersion}$1,added|`);
}

export function decodeRecord(payload: string): PendingRecord {
  return decodeThis(payload.replace(nextHeader, `${thisVersion}$1|`));
}

export function isOfNewerVersion(payload: string): boolean {
  return isNewerThanThis(payload) && !nextHeader.test(payload);
}

export function readRecord(payload: string): PendingRecord | undefined {
  try {
    return decodeRecord(payload);
  } catch {
    return undefined;
  }
}
