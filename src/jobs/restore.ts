import { randomUUID } from "node:crypto";

import type { Buffer } from "../buffer/buffer.ts";
import { digestOf, SnapshotFile } from "../buffer/rdb/snapshot-file.ts";
import type { BufferEpoch } from "../buffer/epochs.ts";
import type { SnapshotContents } from "../buffer/snapshots.ts";
import type { StoredEpoch } from "../store/epochs.ts";
import type { Store } from "../store/store.ts";
import type { ShowProgress } from "./job.ts";

/** Thrown where a restore would do harm; nothing was changed. */
export class RestoreRefusedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "RestoreRefusedError";
  }
}

/** What a restored partition had, and what MySQL says has happened since. */
export interface RestoredPartition {
  readonly partition: number;
  /** Records and changes that wait for their flush again. */
  readonly pending: number;
  /** Batches that were flushed since the snapshot was taken; their records are in MySQL. */
  readonly flushesSince: number;
  /** Records accepted between the snapshot and the last flush; absent where no flush has told. */
  readonly acceptedSince: number | undefined;
  /** Of these, the most that can be gone: what was pending when the last flush began. */
  readonly atMostGone: number | undefined;
  /** When that flush began, Unix milliseconds. What was accepted later nobody has counted. */
  readonly lastFlushAtMs: number | undefined;
}

/** Hands on the opened files of a snapshot, and closes them. @throws {SnapshotError} where one is none */
export async function withSnapshot<T>(
  files: readonly string[],
  use: (snapshot: readonly SnapshotFile[]) => Promise<T>,
): Promise<T> {
  const opened: SnapshotFile[] = [];
  try {
    for (const file of files) opened.push(new SnapshotFile(file));
    return await use(opened);
  } finally {
    for (const file of opened) file.close();
  }
}

/**
 * Reads all files of a snapshot whole, without changing anything.
 *
 * @throws {SnapshotError} where it is damaged
 * @throws {RestoreRefusedError} where it holds nothing of this installation
 */
export async function inspectSnapshot(buffer: Buffer, files: readonly string[]): Promise<SnapshotContents> {
  return withSnapshot(files, async (snapshot) => {
    for (const [nth, { bytes }] of snapshot.entries()) await digestOf(files[nth] ?? "", bytes);
    const contents = await buffer.snapshots.inspect(...snapshot);
    if (contents.ownKeys === 0) {
      throw new RestoreRefusedError("it holds nothing under this REDIS_NAMESPACE and database");
    }
    return contents;
  });
}

/**
 * Refuses where processes run, as they would work on data that is exchanged under them, or where Redis holds
 * records that MySQL does not have and that the restore would throw away.
 *
 * @throws {RestoreRefusedError}
 */
export async function requireRest(buffer: Buffer): Promise<void> {
  const running = await buffer.processes.list();
  if (running.length > 0) {
    const names = running.map(({ role, host, pid }) => `${role} (process ${pid} on ${host})`);
    throw new RestoreRefusedError(
      `these run: ${names.join(", ")}. Stop them; one that was killed is forgotten after ten seconds.`,
    );
  }
  let pending = 0;
  for (let partition = 0; partition < buffer.partitions; partition += 1) {
    const totals = await buffer.totals.read(partition);
    pending += totals.pending.chats + totals.pending.messages;
  }
  if (pending > 0) {
    throw new RestoreRefusedError(
      `Redis holds ${pending} records that are not flushed, and they would be gone. ` +
        "Start a flusher until `sluice status` shows none.",
    );
  }
}

/**
 * Puts an inspected snapshot back and begins a new epoch in both stores: counters resume above all that MySQL
 * and the snapshot know, and above a gap. It can be repeated where it was interrupted: a Redis that was loaded
 * in part has no epoch, or an old one, and counts as one that has lost data.
 */
export async function restore(
  buffer: Buffer,
  store: Store,
  files: readonly string[],
  { ownKeys, otherKeys }: SnapshotContents,
  show: ShowProgress,
): Promise<readonly RestoredPartition[]> {
  const numbers = Array.from({ length: buffer.partitions }, (_, partition) => partition);
  const epochs = new Map<number, StoredEpoch>();
  for (const partition of numbers) epochs.set(partition, await beginInStore(store, partition));
  const progress = show("keys", ownKeys + otherKeys);
  await withSnapshot(files, (snapshot) =>
    buffer.snapshots.load(snapshot, (count) => {
      progress.advance(count);
    }),
  );
  progress.done();
  const restored: RestoredPartition[] = [];
  for (const [partition, stored] of epochs) {
    const known = await buffer.epochs.beginComparison(partition, randomUUID());
    restored.push(await describe(buffer, store, partition, stored.flushSequence - known.flushSequence));
    const epoch = await afterBoth(store, partition, stored, known);
    await buffer.epochs.begin(partition, epoch, true, known.word);
  }
  return restored;
}

/** In MySQL first: a Redis that has the old epoch, or none, is then known to have lost data. */
async function beginInStore(store: Store, partition: number) {
  const epoch = randomUUID();
  const stored = await store.epochs.read(partition);
  if (!stored) return store.epochs.begin(partition, { epoch, flushSequence: 0, losses: 0 });
  return store.epochs.replace(partition, stored, epoch, 0);
}

/** The epoch that was begun, or another where the snapshot is of a later one than MySQL had: MySQL was put back too. */
async function afterBoth(store: Store, partition: number, stored: StoredEpoch, { losses }: BufferEpoch) {
  return losses < stored.losses ? stored : store.epochs.replace(partition, stored, randomUUID(), losses);
}

async function describe(
  buffer: Buffer,
  store: Store,
  partition: number,
  flushesSince: number,
): Promise<RestoredPartition> {
  const [totals, last] = [await buffer.totals.read(partition), await store.epochs.lastFlush(partition)];
  const accepted = totals.accepted.chats + totals.accepted.messages;
  const isTold = last !== undefined && last.accepted >= accepted && flushesSince >= 0;
  const acceptedSince = isTold ? last.accepted - accepted : undefined;
  return {
    partition,
    pending: totals.pending.chats + totals.pending.messages,
    flushesSince: Math.max(0, flushesSince),
    acceptedSince,
    atMostGone: isTold ? Math.min(last.pending, last.accepted - accepted) : undefined,
    lastFlushAtMs: isTold ? last.atMs : undefined,
  };
}
