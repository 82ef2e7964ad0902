import type { Buffer } from "../buffer/buffer.ts";
import { parentOf } from "../buffer/references.ts";
import { applicationMarkSeconds } from "../buffer/revising.ts";
import type { FencedFlush } from "../store/fence.ts";
import type { Removal } from "../store/removals.ts";
import type { Store } from "../store/store.ts";

/** Rows a removal deletes in one statement: it holds no lock for longer than a flush does. */
const rowsAtOnce = 1000;
/** Removals looked at in one statement to find one of this partition. */
const removalsAtOnce = 1000;

/** Seconds for which a chat stays marked: as long as its ack leaves the mark. */
const chatMarkSeconds = 3600;

/** Carries out a write under a lease, counted as a flush is. */
export type CountedWrite = <T>(write: (flush: FencedFlush) => Promise<T>) => Promise<T>;

/**
 * Removes a bounded part of what lies beneath a deleted application or chat of a partition; answers whether
 * more may be left. Nothing of the partition may be written meanwhile: whoever holds its lease calls this, under it.
 * Each step counts as a flush does: a Redis that is put back to a copy from before it, without the mark of what was
 * deleted, is then known to be behind.
 *
 * @throws what `counted` throws, where another lease was claimed or another Redis serves
 */
export async function removeSome(
  buffer: Buffer,
  store: Store,
  partition: number,
  counted: CountedWrite,
): Promise<boolean> {
  const { removal, hasMore } = await firstOf(store, ({ token }) => buffer.partitionOf(token) === partition);
  if (!removal) return false;
  const parent = parentOf(removal);
  const isApplication = removal.chatNumber === undefined;
  // Again: whoever deleted it may have died between MySQL and Redis, and Redis been put back to an older copy.
  const isDeleted =
    !removal.isBack && (await buffer.revising.markDeleted(parent, isApplication ? "ever" : chatMarkSeconds));
  if (isDeleted) await buffer.owed.oweRemoval(parent);
  // Before the step that may be the last: nothing beneath a marked application dies any more.
  if (isApplication) await buffer.deadLetters.forgetBeneath(parent.token, chatMarkSeconds);
  const step = isDeleted ? removal : { ...removal, isBack: true as const };
  const isDone = await counted((flush) => store.removals.step(step, rowsAtOnce, flush));
  if (isDone && isApplication) await buffer.revising.markDeleted(parent, applicationMarkSeconds);
  return !isDone || hasMore;
}

/** The first removal of a kind, however many of others come before it, and whether there may be more of it. */
async function firstOf(
  store: Store,
  isMine: (removal: Removal) => boolean,
): Promise<{ removal: Removal | undefined; hasMore: boolean }> {
  for (let after: Removal | undefined; ;) {
    const page = await store.removals.list(removalsAtOnce, after);
    const mine = page.filter(isMine);
    const isLast = page.length < removalsAtOnce;
    if (mine.length > 0 || isLast) return { removal: mine[0], hasMore: mine.length > 1 || !isLast };
    after = page.at(-1);
  }
}
