import type { Batch, BatchLimits } from "../buffer/batch.ts";
import type { Buffer } from "../buffer/buffer.ts";
import { BufferUnavailableError } from "../buffer/connections.ts";
import type { Lease } from "../buffer/leases.ts";
import type { Source } from "./ports.ts";
import type { SequenceMark } from "./sequence-mark.ts";

/**
 * What a drain reads from: one partition, under one lease. A batch is acknowledged only to the Redis process that it was
 * read from: one that took its place may have other references at the same positions. It is then read anew, and its
 * rows are known by their operation ids.
 */
export function partitionSource(
  buffer: Buffer,
  lease: Lease,
  limits: () => BatchLimits,
  mark: SequenceMark | undefined,
): Source {
  const { partition } = lease;
  const readFrom = new WeakMap<Batch, string>();
  return {
    length: (list) => buffer.batches.length(partition, list),
    async peek(list, skip) {
      const process = await mark?.servedBy();
      const batch = await buffer.batches.peek(partition, list, skip, limits());
      if (process === undefined) return batch;
      if (process !== (await mark?.servedBy()))
        throw new BufferUnavailableError("another Redis serves by now");
      readFrom.set(batch, process);
      return batch;
    },
    stranded: (batch) => buffer.batches.stranded(batch),
    async acknowledge(batch, deaths, totals) {
      if (readFrom.get(batch) !== (await mark?.servedBy())) return { kind: "moved" };
      return buffer.batches.acknowledge(lease, batch, deaths, totals, mark?.committed);
    },
    isPaused: () => buffer.pauses.isPaused(partition),
    remember: (flush) => buffer.recentFlushes.add(flush),
  };
}
