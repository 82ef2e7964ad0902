/** The three records as the parts of Sluice hand them to each other. */
import type { Kind } from "./fields.ts";

/**
 * The fields of a record by their names, as they are kept; null where one is not set. One that is left out is not set
 * either, but in a change: there it stays as it is.
 */
export type Fields = Readonly<Record<string, string | null>>;

export const noFields: Fields = Object.freeze({});

/** What a client has said of a chat or a message. */
export interface Content {
  /** A message's body or a chat's title; null is a chat without a title. */
  readonly text: string | null;
  readonly fields: Fields;
}

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
  readonly fields: Fields;
  readonly messagesCount: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface Message {
  readonly number: number;
  readonly body: string;
  readonly fields: Fields;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A chat or message between its 201 and MySQL. Its place (token, chat, number) is the key it lies under. */
export interface PendingRecord extends Content {
  /** Random, given once at acceptance and stored in the row: tells a replayed write from another record. */
  readonly operationId: string;
  /** Empty as accepted; a fresh random word for each later change, so that an ack sees a change in flight. */
  readonly revision: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** A record that was deleted while Sluice had yet to write it, or to delete it from MySQL. */
  readonly isDeleted: boolean;
}

/** A record as it is accepted. */
export function newRecord(
  operationId: string,
  createdAtMs: number,
  text: string | null,
  fields: Fields = noFields,
): PendingRecord {
  return { operationId, revision: "", createdAtMs, updatedAtMs: createdAtMs, text, fields, isDeleted: false };
}

/** The revision of a record that an operator has thrown away as a dead letter. */
export const discardedRevision = "discarded";

/** A deleted record in place of one that is thrown away, or that nobody can read: its number stays given, and it is never a row. */
export function tombstone(
  operationId: string,
  atMs: number,
  revision: typeof discardedRevision | "unreadable",
): PendingRecord {
  return { ...newRecord(operationId, atMs, null), revision, isDeleted: true };
}

/** Bytes of all that a record holds, in UTF-8. */
export function contentBytes({ text, fields }: Content): number {
  let bytes = Buffer.byteLength(text ?? "");
  if (fields !== noFields) for (const kept of Object.values(fields)) bytes += Buffer.byteLength(kept ?? "");
  return bytes;
}

/** Bytes of a row of a statement beyond what its record holds: token, numbers, operation id, times, quotes. */
export const rowOverheadBytes = 160;

/** Bytes that a record adds to a statement, at most: each byte may be escaped by another. */
export function statementBytes(content: Content): number {
  return 2 * contentBytes(content) + rowOverheadBytes;
}

/** The fields of a kind that something names, each as it is kept. */
export function fieldsIn({ fields }: Kind, members: Readonly<Record<string, unknown>>): Fields {
  if (fields.length === 0) return noFields;
  const named = fields.filter(({ name }) => members[name] !== undefined);
  if (named.length === 0) return noFields;
  return Object.fromEntries(named.map(({ name }) => [name, members[name] as string | null]));
}

/** Whether a change says of every field of its kind what it is to be. */
export function namesAll({ fields }: Kind, given: Fields): boolean {
  return fields.every(({ name }) => given[name] !== undefined);
}
