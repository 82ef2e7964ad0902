import type { Buffer } from "../buffer/buffer.ts";
import { type FlushTotals, readTotals } from "../flusher/flush-totals.ts";

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
  };
}
