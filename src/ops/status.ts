import type { Buffer } from "../buffer/buffer.ts";
import { ownerOf } from "../buffer/leases.ts";
import type { PartitionTotals } from "../buffer/totals.ts";
import { type FlushTotals, readTotals } from "../flusher/flush-totals.ts";

/** How far the search index is behind MySQL. */
export interface IndexStatus {
  /** Documents that must be written again; deleted chats and applications whose documents must go. */
  readonly owed: { readonly documents: number; readonly removals: number };
  /** How long the oldest owed document has waited; 0 when none is owed. */
  readonly oldestAgeSeconds: number;
  readonly indexed: number;
  /** Messages that the index does not take. */
  readonly refused: number;
}

/** Where one partition stands. */
export interface PartitionStatus {
  readonly partition: number;
  readonly pending: { readonly chats: number; readonly messages: number };
  readonly pendingBytes: number;
  readonly oldestAgeSeconds: number;
  /** Since something waits and nothing was flushed; 0 when nothing is pending. */
  readonly stalledSeconds: number;
  readonly deadLetters: number;
  /** Host and process id of the flusher that drains it; null where none does. */
  readonly drainedBy: string | null;
  readonly paused: { readonly by: string; readonly since: string } | null;
  readonly epoch: string | null;
  readonly flushSequence: number;
}

/** Where Sluice stands: what is accepted, what waits, what was flushed, over all partitions. */
export interface Status {
  readonly pending: { readonly chats: number; readonly messages: number };
  readonly pendingBytes: number;
  /** How long the oldest pending record has waited; 0 when nothing is pending. */
  readonly oldestAgeSeconds: number;
  /** The longest time for which in some partition something waits and nothing was flushed. */
  readonly stalledSeconds: number;
  readonly accepted: { readonly chats: number; readonly messages: number };
  readonly flushed: FlushTotals;
  /** Records that MySQL refused, or whose number another record holds. */
  readonly deadLetters: number;
  /** Partitions that a flusher drains now, of all there are. */
  readonly partitionsDrained: number;
  readonly partitionsPaused: number;
  readonly partitions: number;
  readonly index: IndexStatus;
  /** What each partition may hold before the answer is 503. */
  readonly limits: { readonly records: number; readonly bytes: number };
  /** How many of a list are flushed at once. */
  readonly thresholds: { readonly chats: number; readonly messages: number };
  readonly perPartition: readonly PartitionStatus[];
}

/** Reads the status from Redis. @throws {BufferUnavailableError} while Redis is away */
export async function readStatus(buffer: Buffer): Promise<Status> {
  const numbers = Array.from({ length: buffer.partitions }, (_, partition) => partition);
  const totals = await Promise.all(numbers.map((partition) => buffer.totals.read(partition)));
  const perPartition = totals.map(partitionStatus);
  const sum = (pick: (one: PartitionTotals) => number) => totals.reduce((total, one) => total + pick(one), 0);
  return {
    pending: { chats: sum((one) => one.pending.chats), messages: sum((one) => one.pending.messages) },
    pendingBytes: sum((one) => one.pendingBytes),
    oldestAgeSeconds: Math.max(...perPartition.map((one) => one.oldestAgeSeconds)),
    stalledSeconds: Math.max(...perPartition.map((one) => one.stalledSeconds)),
    accepted: { chats: sum((one) => one.accepted.chats), messages: sum((one) => one.accepted.messages) },
    flushed: readTotals(totals.map((one) => one.flushed)),
    deadLetters: sum((one) => one.deadLetters),
    partitionsDrained: totals.filter((one) => one.lease !== undefined).length,
    partitionsPaused: totals.filter((one) => one.pause !== undefined).length,
    partitions: buffer.partitions,
    index: await readIndexStatus(buffer, numbers),
    limits: { records: buffer.limits.maxRecords, bytes: buffer.limits.maxBytes },
    thresholds: buffer.limits.thresholds,
    perPartition,
  };
}

async function readIndexStatus(buffer: Buffer, partitions: readonly number[]): Promise<IndexStatus> {
  const [owed, totals] = await Promise.all([
    Promise.all(partitions.map((partition) => buffer.owed.totals(partition))),
    Promise.all(partitions.map((partition) => buffer.indexTotals.read(partition))),
  ]);
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  return {
    owed: {
      documents: sum(owed.map(({ documents }) => documents)),
      removals: sum(owed.map(({ removals }) => removals)),
    },
    oldestAgeSeconds: Math.max(0, ...owed.map(({ oldestAgeMs }) => oldestAgeMs)) / 1000,
    indexed: sum(totals.map(({ indexed }) => indexed)),
    refused: sum(totals.map(({ refused }) => refused)),
  };
}

function partitionStatus(one: PartitionTotals, partition: number): PartitionStatus {
  const { pending, pendingBytes, deadLetters, flushSequence, waits, pause } = one;
  return {
    partition,
    pending,
    pendingBytes,
    oldestAgeSeconds: waits.oldestMs / 1000,
    stalledSeconds: waits.stalledMs / 1000,
    deadLetters,
    // Host and process: what follows tells it from those before it there.
    drainedBy: ownerOf(one.lease)?.replace(/#.*$/, "") ?? null,
    paused: pause ? { by: pause.by, since: pause.since.toISOString() } : null,
    epoch: one.epoch ?? null,
    flushSequence,
  };
}

/** Records written to MySQL so far: inserted, changed and deleted ones. */
export function recordsFlushed({ flushed }: Pick<Status, "flushed">): number {
  const { threshold, minute, manual } = flushed.rowsByTrigger;
  return threshold + minute + manual + flushed.updated + flushed.deleted;
}
