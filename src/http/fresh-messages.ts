import type { Buffer } from "../buffer/buffer.ts";
import type { NumberedRecord, PendingPage } from "../buffer/pending-reads.ts";
import type { Message } from "../records/records.ts";
import type { Store } from "../store/store.ts";
import { messagesOf } from "./numbered.ts";
import type { ChatPlace } from "./params.ts";

/** Messages of a chat that an index cannot know as they are. */
export interface Fresh {
  /** Of all of them, deleted ones included: no index is asked for these. */
  readonly numbers: readonly number[];
  /** Those that are there, in no order. */
  readonly messages: readonly Message[];
}

const pageSize = 1000;
/** A search looks at so many pending messages of a chat, the newest: more would keep others waiting. */
const mostPending = 10_000;
/** So many owed messages are read beside the index; where more are owed, MySQL is asked in its place. */
const mostOwed = 1000;

/** What the buffer has of a chat; `isComplete` is false where it has more than is looked at. */
export async function pendingMessages(
  buffer: Buffer,
  store: Store,
  chat: ChatPlace,
): Promise<Fresh & { readonly isComplete: boolean }> {
  const { toRecord } = messagesOf(store, chat.token, chat.chatNumber);
  const known = new Map<number, NumberedRecord>();
  let isComplete = false;
  for (let cursor: number | undefined; !isComplete && known.size < mostPending;) {
    const page = await buffer.reads.page(chat, { order: "desc", cursor, skip: 0, limit: pageSize });
    if (page === "gone") return { numbers: [], messages: [], isComplete: true };
    for (const record of newestLast(page)) known.set(record.number, record);
    cursor = page.records.at(-1)?.number;
    isComplete = page.records.length < pageSize;
  }
  const messages = [...known.values()].filter(({ record }) => !record.isDeleted).map(toRecord);
  return { numbers: [...known.keys()], messages, isComplete };
}

/** Of a record that lies in several places, readers see a pending one before a revision before a dead letter. */
function newestLast({ dead, revisions, records }: PendingPage): NumberedRecord[] {
  return [...dead, ...revisions, ...records];
}

/**
 * What is stored of a chat and still owed to its index; "behind" where that is too much, or the whole index is
 * in doubt. What is pending must have been read before: what leaves it is owed, until a search can find it.
 */
export async function owedMessages(buffer: Buffer, store: Store, chat: ChatPlace): Promise<Fresh | "behind"> {
  const [mark, owed] = await Promise.all([
    buffer.owed.behind(buffer.partitionOf(chat.token)),
    buffer.owed.list(chat, mostOwed + 1),
  ]);
  if (mark !== undefined || owed.length > mostOwed) return "behind";
  const numbers = owed.map(({ number }) => number);
  return { numbers, messages: await store.reads.messages.among([chat.token, chat.chatNumber], numbers) };
}
