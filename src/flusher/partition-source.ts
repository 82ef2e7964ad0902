import type { BatchLimits } from "../buffer/batch.ts";
import type { Buffer } from "../buffer/buffer.ts";
import type { Lease } from "../buffer/leases.ts";
import type { Source } from "./ports.ts";
import type { SequenceMark } from "./sequence-mark.ts";

/** What a drain reads from: one partition, under one lease, of one Redis process. */
export function partitionSource(
  buffer: Buffer,
  lease: Lease,
  limits: () => BatchLimits,
  mark: SequenceMark,
): Source {
  const { partition } = lease;
  return {
    length: (list) => buffer.batches.length(partition, list),
    async peek(list, skip) {
      const batch = await buffer.batches.peek(partition, list, skip, limits());
      // Asked afterwards: then all of it is of this process.
      await mark.requireSameRedis();
      return batch;
    },
    stranded: (batch) => buffer.batches.stranded(batch),
    async acknowledge(batch, deaths, totals) {
      await mark.requireSameRedis();
      return buffer.batches.acknowledge(lease, batch, deaths, totals, mark.committed);
    },
    isPaused: () => buffer.pauses.isPaused(partition),
    remember: (flush) => buffer.recentFlushes.add(flush),
  };
}
