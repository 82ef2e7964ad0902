import type { Buffer } from "../buffer/buffer.ts";
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

/** Where Sluice stands: what is accepted, what waits, what was flushed, over all partitions. */
export interface Status {
  readonly pending: { readonly chats: number; readonly messages: number };
  readonly pendingBytes: number;
  /** How long the oldest pending record has waited; 0 when nothing is pending. */
  readonly oldestAgeSeconds: number;
  readonly accepted: { readonly chats: number; readonly messages: number };
  readonly flushed: FlushTotals;
  /** Records that MySQL refused, or whose number another record holds. */
  readonly deadLetters: number;
  /** Partitions that a flusher drains now, of all there are. */
  readonly partitionsDrained: number;
  readonly partitions: number;
  readonly index: IndexStatus;
}

/** Reads the status from Redis. @throws {BufferUnavailableError} while Redis is away */
export async function readStatus(buffer: Buffer): Promise<Status> {
  const numbers = Array.from({ length: buffer.partitions }, (_, partition) => partition);
  const totals = await Promise.all(numbers.map((partition) => buffer.totals.read(partition)));
  const sum = (pick: (one: (typeof totals)[number]) => number) =>
    totals.reduce((total, one) => total + pick(one), 0);
  const oldest = totals.map((one) => one.oldestAcceptedAtMs).filter((at) => at !== undefined);
  return {
    pending: { chats: sum((one) => one.pending.chats), messages: sum((one) => one.pending.messages) },
    pendingBytes: sum((one) => one.pendingBytes),
    oldestAgeSeconds: oldest.length > 0 ? Math.max(0, Date.now() - Math.min(...oldest)) / 1000 : 0,
    accepted: { chats: sum((one) => one.accepted.chats), messages: sum((one) => one.accepted.messages) },
    flushed: readTotals(totals.map((one) => one.flushed)),
    deadLetters: sum((one) => one.deadLetters),
    partitionsDrained: totals.filter((one) => one.lease !== undefined).length,
    partitions: buffer.partitions,
    index: await readIndexStatus(buffer, numbers),
  };
}

async function readIndexStatus(buffer: Buffer, partitions: readonly number[]): Promise<IndexStatus> {
  const [owed, totals] = await Promise.all([
    Promise.all(partitions.map((partition) => buffer.owed.totals(partition))),
    Promise.all(partitions.map((partition) => buffer.indexTotals.read(partition))),
  ]);
  const oldest = owed.map(({ oldestAtMs }) => oldestAtMs).filter((at) => at !== undefined);
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  return {
    owed: {
      documents: sum(owed.map(({ documents }) => documents)),
      removals: sum(owed.map(({ removals }) => removals)),
    },
    oldestAgeSeconds: oldest.length > 0 ? Math.max(0, Date.now() - Math.min(...oldest)) / 1000 : 0,
    indexed: sum(totals.map(({ indexed }) => indexed)),
    refused: sum(totals.map(({ refused }) => refused)),
  };
}
