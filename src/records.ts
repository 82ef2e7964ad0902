/**
 * The three records as the parts of Sluice hand them to each other, and the form in which a pending record
 * crosses the buffer.
 */

export interface Application {
  readonly token: string;
  readonly name: string;
  readonly chatsCount: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface Chat {
  readonly number: number;
  readonly title: string | null;
  readonly messagesCount: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface Message {
  readonly number: number;
  readonly body: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A chat or message between its 201 and MySQL. Its place (token, chat, number) is the key it lies under. */
export interface PendingRecord {
  /** Random, given once at acceptance and stored in the row: tells a replayed write from another record. */
  readonly operationId: string;
  /** Empty as accepted; a fresh random word for each later change, so that an ack sees a change in flight. */
  readonly revision: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** A message's body or a chat's title; null is a chat without a title. */
  readonly text: string | null;
  /** A record that was deleted while Sluice had yet to write it, or to delete it from MySQL. */
  readonly isDeleted: boolean;
}

/** A record as it is accepted. */
export function newRecord(operationId: string, createdAtMs: number, text: string | null): PendingRecord {
  return { operationId, revision: "", createdAtMs, updatedAtMs: createdAtMs, text, isDeleted: false };
}

/** The revision of a record that an operator has thrown away as a dead letter; `bury.lua` writes it. */
export const discardedRevision = "discarded";

/** A deleted record in place of one that nobody can read: its number stays given, and it is never a row. */
export function tombstone(operationId: string, atMs: number): PendingRecord {
  return { ...newRecord(operationId, atMs, null), revision: "unreadable", isDeleted: true };
}

/** Thrown by `decodeRecord` for a payload that no version of Sluice wrote. */
export class UnreadableRecordError extends Error {
  constructor(reason: string) {
    super(`A pending record cannot be read: ${reason}`);
    this.name = "UnreadableRecordError";
  }
}

/** Thrown by `decodeRecord` for a payload that a later version of Sluice wrote. */
export class NewerRecordError extends Error {
  constructor(found: string) {
    super(`A pending record is of version ${found}: a newer Sluice must write it`);
    this.name = "NewerRecordError";
  }
}

/** Raised with each change of the form; the version before must then be read as well, for an upgrade. */
const version = "1";
const separator = "|";
const headerFields = 5;

/**
 * Writes a record as `version|operation id|revision|created|updated|text`, times in base 36 milliseconds,
 * text last and raw. Not JSON: it is opened a thousand times a batch, and quotes or emoji in a body would
 * grow. An equal `updated` is left empty; a null text is `-`, a deleted record `x`, any other begins with `=`.
 * The scripts in `buffer/lua/`, those of older processes too, know a deleted record by this form: a later version keeps
 * the number of the fields, the first three, and the text's marks.
 */
export function encodeRecord(record: PendingRecord): string {
  const created = record.createdAtMs.toString(36);
  const updated = record.updatedAtMs === record.createdAtMs ? "" : record.updatedAtMs.toString(36);
  const { operationId, revision } = record;
  return `${version}|${operationId}|${revision}|${created}|${updated}|${encodeText(record)}`;
}

function encodeText({ text, isDeleted }: PendingRecord): string {
  if (isDeleted) return "x";
  return text === null ? "-" : `=${text}`;
}

/**
 * Reads what `encodeRecord` wrote.
 *
 * @throws {NewerRecordError} for a later version: whoever meets one must leave it to those who know it.
 * @throws {UnreadableRecordError} for a damaged payload.
 */
export function decodeRecord(payload: string): PendingRecord {
  if (isOfNewerVersion(payload)) throw new NewerRecordError(versionOf(payload));
  const { fields, rest } = splitHeader(payload);
  const [first, operationId = "", revision = "", created = "", updated = ""] = fields;
  if (first !== version) throw new UnreadableRecordError("no version");
  if (operationId === "") throw new UnreadableRecordError("no operation id");
  const createdAtMs = decodeTime(created);
  const updatedAtMs = updated === "" ? createdAtMs : decodeTime(updated);
  return { operationId, revision, createdAtMs, updatedAtMs, ...decodeText(rest) };
}

/** Whether a later version of Sluice wrote a payload. */
export function isOfNewerVersion(payload: string): boolean {
  return Number(versionOf(payload)) > Number(version);
}

/** The version a payload begins with; empty where it begins otherwise. */
function versionOf(payload: string): string {
  return /^(\d{1,4})\|/.exec(payload)?.[1] ?? "";
}

/** What `decodeRecord` reads, or nothing where it can read nothing. */
export function readRecord(payload: string): PendingRecord | undefined {
  try {
    return decodeRecord(payload);
  } catch (error) {
    if (error instanceof UnreadableRecordError || error instanceof NewerRecordError) return undefined;
    throw error;
  }
}

function decodeTime(field: string): number {
  const ms = /^-?[0-9a-z]{1,10}$/.test(field) ? parseInt(field, 36) : Number.NaN;
  if (Number.isNaN(new Date(ms).getTime())) throw new UnreadableRecordError("damaged time");
  return ms;
}

function decodeText(field: string): Pick<PendingRecord, "text" | "isDeleted"> {
  if (field === "x") return { text: null, isDeleted: true };
  if (field === "-") return { text: null, isDeleted: false };
  if (!field.startsWith("=")) throw new UnreadableRecordError("damaged text");
  return { text: field.slice(1), isDeleted: false };
}

/**
 * The part of a payload that differs whenever the record does: everything up to and with its revision.
 * Two payloads of one record are the same exactly when one begins with the other's stamp.
 */
export function stampOf(payload: string): string {
  let end = 0;
  for (let field = 0; field < 3; field += 1) end = payload.indexOf(separator, end) + 1;
  return payload.slice(0, end);
}

function splitHeader(payload: string): { fields: string[]; rest: string } {
  const fields: string[] = [];
  let start = 0;
  while (fields.length < headerFields) {
    const end = payload.indexOf(separator, start);
    if (end < 0) throw new UnreadableRecordError("damaged header");
    fields.push(payload.slice(start, end));
    start = end + 1;
  }
  return { fields, rest: payload.slice(start) };
}
