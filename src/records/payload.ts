/**
 * The form in which a chat or message crosses the buffer:
 *
 *     version|operation id|revision|state created|updated|fields|text
 *     └───────── stamp ───────────┘
 *
 * The state is one character right behind the stamp: `=` a text follows, `-` there is none, `x` the record was deleted.
 * Times are base 36 milliseconds; an equal `updated` is left empty. A field that is set is its mark, its length in
 * base 36, a colon and itself. The text comes last and raw. Not JSON: it is opened a thousand times a batch, and quotes
 * or emoji in a text would grow.
 *
 * Stamp and state keep their place in every version, as the scripts know them (`buffer/lua/shared/payloads.lua`), those
 * of older processes too. What lies behind them is for those who know the version: an older reader leaves a newer record
 * where it is, a newer one reads the older. A new record is written in the oldest version that can hold it; a change in
 * the newest, as it says of each field what it is to be.
 */
import { kinds } from "./fields.ts";
import { type Fields, noFields, type PendingRecord } from "./records.ts";

/** Thrown by `decodeRecord` for a payload that no version of Sluice wrote. */
export class UnreadableRecordError extends Error {
  constructor(reason: string) {
    super(`A pending record cannot be read: ${reason}`);
    this.name = "UnreadableRecordError";
  }
}

/** Thrown by `decodeRecord` for a payload that another version of Sluice wrote, which this one does not know. */
export class OtherVersionError extends Error {
  constructor(found: string) {
    super(`A pending record is of version ${found}: a Sluice that knows it must write it`);
    this.name = "OtherVersionError";
  }
}

/** The first version of this form. Sluice 0.1 wrote another, of version 1. */
const firstVersion = 2;
const fields = kinds.flatMap((kind) => kind.fields);
const fieldOfMark = new Map(fields.map((field) => [field.mark, field]));
const newestVersion = Math.max(firstVersion, ...fields.map(({ since }) => since));
const separator = "|";

/** Writes a record in the form above. */
export function encodeRecord(record: PendingRecord): string {
  const created = record.createdAtMs.toString(36);
  const updated = record.updatedAtMs === record.createdAtMs ? "" : record.updatedAtMs.toString(36);
  const { operationId, revision, isDeleted } = record;
  const content = isDeleted ? "|" : `${encodeFields(record.fields)}|${record.text ?? ""}`;
  const stamp = `${versionFor(record)}|${operationId}|${revision}|`;
  return `${stamp}${stateOf(record)}${created}|${updated}|${content}`;
}

function versionFor({ revision, fields: set }: PendingRecord): number {
  if (revision !== "") return newestVersion;
  if (set === noFields) return firstVersion;
  const needed = fields.filter(({ name }) => typeof set[name] === "string").map(({ since }) => since);
  return Math.max(firstVersion, ...needed);
}

function stateOf({ text, isDeleted }: PendingRecord): string {
  if (isDeleted) return "x";
  return text === null ? "-" : "=";
}

function encodeFields(set: Fields): string {
  if (set === noFields) return "";
  let encoded = "";
  for (const { name, mark } of fields) {
    const kept = set[name];
    if (typeof kept === "string") encoded += `${mark}${kept.length.toString(36)}:${kept}`;
  }
  return encoded;
}

/**
 * Reads what `encodeRecord` wrote.
 *
 * @throws {OtherVersionError} for a version that is not known: whoever meets one must leave it to those who know it.
 * @throws {UnreadableRecordError} for a damaged payload.
 */
export function decodeRecord(payload: string): PendingRecord {
  const version = versionOf(payload);
  if (version === 0) throw new UnreadableRecordError("no version");
  if (isOfOtherVersion(payload)) throw new OtherVersionError(String(version));
  const reader = new Reader(payload);
  reader.take();
  const operationId = reader.take();
  if (operationId === "") throw new UnreadableRecordError("no operation id");
  const revision = reader.take();
  const state = reader.takeOne();
  const createdAtMs = decodeTime(reader.take());
  const updated = reader.take();
  const updatedAtMs = updated === "" ? createdAtMs : decodeTime(updated);
  const set = withUnset(reader.takeFields(), version, revision);
  const rest = reader.rest();
  return { operationId, revision, createdAtMs, updatedAtMs, ...decodeText(state, rest), fields: set };
}

/** A change says of each field that its version knows what it is to be: also that it is not set. */
function withUnset(set: Fields, version: number, revision: string): Fields {
  if (revision === "" || fields.length === 0) return set;
  const known = fields.filter(({ since }) => since <= version);
  return { ...Object.fromEntries(known.map(({ name }) => [name, null])), ...set };
}

/** Whether a payload is of a version that this Sluice does not know, and not damaged. */
export function isOfOtherVersion(payload: string): boolean {
  const version = versionOf(payload);
  return version !== 0 && (version < firstVersion || version > newestVersion);
}

/** The version a payload begins with; 0 where it begins otherwise. */
function versionOf(payload: string): number {
  return Number(/^([1-9]\d{0,3})\|/.exec(payload)?.[1] ?? 0);
}

/** What `decodeRecord` reads, or nothing where it can read nothing. */
export function readRecord(payload: string): PendingRecord | undefined {
  try {
    return decodeRecord(payload);
  } catch (error) {
    if (error instanceof UnreadableRecordError || error instanceof OtherVersionError) return undefined;
    throw error;
  }
}

/**
 * The part of a payload that differs whenever the record does: everything up to and with its revision.
 * Two payloads of one record are the same exactly when one begins with the other's stamp.
 */
export function stampOf(payload: string): string {
  let end = 0;
  for (let part = 0; part < 3; part += 1) end = payload.indexOf(separator, end) + 1;
  return payload.slice(0, end);
}

/** The operation id in a payload of any version. */
export function operationIdIn(payload: string): string {
  return payload.split(separator, 2)[1] ?? "";
}

/** Whether a payload of any version is that of a deleted record. */
export function isTombstone(payload: string): boolean {
  return payload[stampOf(payload).length] === "x";
}

function decodeTime(text: string): number {
  const ms = /^-?[0-9a-z]{1,10}$/.test(text) ? parseInt(text, 36) : Number.NaN;
  if (Number.isNaN(new Date(ms).getTime())) throw new UnreadableRecordError("damaged time");
  return ms;
}

function decodeText(state: string, rest: string): Pick<PendingRecord, "text" | "isDeleted"> {
  if (state === "=") return { text: rest, isDeleted: false };
  if (rest !== "" || (state !== "-" && state !== "x")) throw new UnreadableRecordError("damaged state");
  return { text: null, isDeleted: state === "x" };
}

/** Takes a payload apart from its begin to its end. */
class Reader {
  readonly #payload: string;
  #at = 0;

  constructor(payload: string) {
    this.#payload = payload;
  }

  /** What lies before the next separator. */
  take(): string {
    const end = this.#payload.indexOf(separator, this.#at);
    if (end < 0) throw new UnreadableRecordError("damaged header");
    const taken = this.#payload.slice(this.#at, end);
    this.#at = end + 1;
    return taken;
  }

  takeOne(): string {
    this.#at += 1;
    return this.#payload.charAt(this.#at - 1);
  }

  /** All fields, with the separator behind them. */
  takeFields(): Fields {
    if (this.#payload.charAt(this.#at) === separator) {
      this.#at += 1;
      return noFields;
    }
    const set: Record<string, string> = {};
    while (this.#payload.charAt(this.#at) !== separator) this.#takeField(set);
    this.#at += 1;
    return set;
  }

  #takeField(set: Record<string, string>): void {
    const [head, mark = "", length = ""] =
      /^([a-z])([0-9a-z]{1,6}):/.exec(this.#payload.slice(this.#at, this.#at + 9)) ?? [];
    const field = fieldOfMark.get(mark);
    const start = this.#at + (head?.length ?? 0);
    const end = start + parseInt(length, 36);
    if (!field || !(end < this.#payload.length)) throw new UnreadableRecordError("damaged field");
    set[field.name] = this.#payload.slice(start, end);
    this.#at = end;
  }

  rest(): string {
    return this.#payload.slice(this.#at);
  }
}
