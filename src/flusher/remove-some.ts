import type { Buffer } from "../buffer/buffer.ts";
import type { Parent } from "../buffer/references.ts";
import type { Removal } from "../store/removals.ts";
import type { Store } from "../store/store.ts";

/** Rows a removal deletes in one statement: it holds no lock for longer than a flush does. */
const rowsAtOnce = 1000;
/** Removals looked at to find one of this partition. */
const removalsAtOnce = 1000;

/**
 * Seconds for which a removed application stays marked in Redis: longer than any of its chats' counters can
 * be there, and than an outage of MySQL that keeps its last pending messages in the list.
 */
const markSeconds = 7 * 24 * 3600;

/**
 * Removes a bounded part of what lies beneath a deleted application or chat of a partition; answers whether
 * more is left. Nothing of the partition may be written meanwhile.
 */
export async function removeSome(buffer: Buffer, store: Store, partition: number): Promise<boolean> {
  const removals = await store.removals.list(removalsAtOnce);
  const mine = removals.filter(({ token }) => buffer.partitionOf(token) === partition);
  const [removal] = mine;
  if (!removal) return false;
  const isApplication = removal.chatNumber === undefined;
  // Again, should whoever deleted it have died between MySQL and Redis.
  if (isApplication) await buffer.revising.markDeleted(removal.token, "ever");
  await buffer.owed.oweRemoval(parentOf(removal));
  const isDone = await store.removals.step(removal, rowsAtOnce);
  if (isDone && isApplication) await buffer.revising.markDeleted(removal.token, markSeconds);
  return !isDone || mine.length > 1;
}

function parentOf({ token, chatNumber }: Removal): Parent {
  return chatNumber === undefined ? { token } : { token, chatNumber };
}
