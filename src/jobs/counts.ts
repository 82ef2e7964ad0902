import type { Buffer } from "../buffer/buffer.ts";
import { type Counted, parentsAtOnce } from "../store/counts.ts";
import type { Store } from "../store/store.ts";
import type { Job, ShowProgress } from "./job.ts";

/**
 * Recomputes `chats_count` and `messages_count`: of the parents that flushes have marked dirty, or of all where a
 * partition's marks went with Redis' data, or a person wants so. Counts are stored as they are counted and
 * never added to, so nothing drifts and a run can be repeated at any point.
 */
export function countsJob(buffer: Buffer, store: Store, { all }: { readonly all: boolean }): Job {
  return {
    name: "counts",
    run: async (signal, show) => {
      const numbers = Array.from({ length: buffer.partitions }, (_, partition) => partition);
      const owed = new Map<number, string | undefined>();
      for (const partition of numbers) {
        const mark = await buffer.dirty.recountOwed(partition);
        if (all || mark !== undefined) owed.set(partition, mark);
      }
      const recounted = owed.size > 0 ? await recountAll(buffer, store, owed, signal, show) : 0;
      let dirty = 0;
      for (const partition of numbers) dirty += await recountDirty(buffer, store, partition, signal, show);
      const everything = owed.size > 0 ? `counted everything, ${recounted} parents, and ` : "";
      return `${everything}recounted ${dirty} dirty parents`;
    },
  };
}

/**
 * A mark is taken off only if the parent was not touched since it was listed; one that was comes last in the
 * list, and waits for the next run where it is touched again and again.
 */
async function recountDirty(
  buffer: Buffer,
  store: Store,
  partition: number,
  signal: AbortSignal,
  show: ShowProgress,
): Promise<number> {
  const total = await buffer.dirty.count(partition);
  const progress = show(`dirty parents of partition ${partition}`, total);
  let done = 0;
  while (done < total) {
    signal.throwIfAborted();
    const parents = await buffer.dirty.list(partition, Math.min(parentsAtOnce, total - done));
    if (parents.length === 0) break;
    await store.counts.recount(parents, signal);
    await buffer.dirty.clean(partition, parents);
    done += parents.length;
    progress.advance(parents.length);
  }
  progress.done();
  return done;
}

/** Counts beneath every application of the partitions, in the order of the keys. Answers how many parents. */
async function recountAll(
  buffer: Buffer,
  store: Store,
  owed: ReadonlyMap<number, string | undefined>,
  signal: AbortSignal,
  show: ShowProgress,
): Promise<number> {
  const progress = show("applications", await store.counts.applications());
  let [counted, last] = [0, ""];
  for (;;) {
    const tokens = await store.counts.applicationsAfter(last, parentsAtOnce);
    const mine = tokens.filter((token) => owed.has(buffer.partitionOf(token)));
    await store.counts.recount(
      mine.map((token) => ({ token })),
      signal,
    );
    counted += mine.length;
    for (const token of mine) counted += await recountChats(store, token, signal);
    progress.advance(tokens.length);
    last = tokens.at(-1) ?? last;
    if (tokens.length < parentsAtOnce) break;
  }
  progress.done();
  for (const [partition, mark] of owed) {
    if (mark !== undefined) await buffer.dirty.recounted(partition, mark);
  }
  return counted;
}

async function recountChats(store: Store, token: string, signal: AbortSignal): Promise<number> {
  let [counted, last] = [0, 0];
  for (;;) {
    signal.throwIfAborted();
    const numbers = await store.counts.chatsAfter(token, last, parentsAtOnce);
    const chats: Counted[] = numbers.map((chatNumber) => ({ token, chatNumber }));
    await store.counts.recount(chats, signal);
    counted += chats.length;
    last = numbers.at(-1) ?? last;
    if (numbers.length < parentsAtOnce) return counted;
  }
}
