import type { Parent } from "../buffer/references.ts";
import type { NumberedRecord } from "../buffer/pending-reads.ts";
import { chat, type Kind, message } from "../records/fields.ts";
import type { Chat, Message, PendingRecord } from "../records/records.ts";
import type { NumberedReads } from "../store/reads.ts";
import type { Store } from "../store/store.ts";

/** One parent's numbered records, as reads and changes need them: where they are, and how they look. */
export interface Numbered<T> {
  readonly kind: Kind;
  readonly parent: Parent;
  readonly stored: BoundReads<T>;
  readonly toRecord: (pending: NumberedRecord) => T;
  readonly revise: (stored: T, revision: NumberedRecord) => T;
}

/** The reads of one parent's stored records. */
export interface BoundReads<T> {
  find(number: number): Promise<T | undefined>;
  findForChange(number: number): Promise<PendingRecord | undefined>;
  slice(...slice: Tail<NumberedReads<T, []>["slice"]>): Promise<T[]>;
  count(...range: Tail<NumberedReads<T, []>["count"]>): Promise<number>;
  numberAt(...rank: Tail<NumberedReads<T, []>["numberAt"]>): Promise<number | undefined>;
}

type Tail<F> = F extends (head: never, ...tail: infer T) => unknown ? T : never;

/** The chats of an application. */
export function chatsOf(store: Store, token: string): Numbered<Chat> {
  return {
    kind: chat,
    parent: { token },
    stored: bind(store.reads.chats, [token]),
    // A pending chat has no counted messages yet: the hourly count looks at MySQL.
    toRecord: ({ number, record }) => ({
      number,
      title: record.text,
      fields: record.fields,
      messagesCount: 0,
      ...times(record),
    }),
    revise: (stored, { record }) => ({
      ...stored,
      title: record.text,
      fields: { ...stored.fields, ...record.fields },
      ...times(record),
    }),
  };
}

/** The messages of a chat. */
export function messagesOf(store: Store, token: string, chatNumber: number): Numbered<Message> {
  const toRecord = ({ number, record }: NumberedRecord) => ({
    number,
    body: record.text ?? "",
    fields: record.fields,
    ...times(record),
  });
  return {
    kind: message,
    parent: { token, chatNumber },
    stored: bind(store.reads.messages, [token, chatNumber]),
    toRecord,
    revise: (stored, revision) => {
      const revised = toRecord(revision);
      return { ...revised, fields: { ...stored.fields, ...revised.fields } };
    },
  };
}

function bind<T, P extends readonly unknown[]>(reads: NumberedReads<T, P>, parent: P): BoundReads<T> {
  return {
    find: (number) => reads.find(parent, number),
    findForChange: (number) => reads.findForChange(parent, number),
    slice: (slice) => reads.slice(parent, slice),
    count: (first, end, except) => reads.count(parent, first, end, except),
    numberAt: (rank) => reads.numberAt(parent, rank),
  };
}

function times(record: PendingRecord): { createdAt: Date; updatedAt: Date } {
  return { createdAt: new Date(record.createdAtMs), updatedAt: new Date(record.updatedAtMs) };
}
