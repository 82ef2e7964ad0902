import type { Knex } from "knex";

import { advance, type StoredEpoch, type StoredMark } from "./epochs.ts";

/** The lease under which a partition is written. */
export interface Fence {
  readonly partition: number;
  readonly lease: string;
}

/** A flush under a lease, and how it was counted in Redis; it is not counted where Redis has no epoch. */
export interface FencedFlush extends Fence {
  readonly mark: StoredMark | undefined;
  /** Called last before the commit; throws where Redis may have lost the count since. */
  readonly confirm: () => void;
}

/** Thrown when another lease has been claimed since: nothing of the write stays. */
export class FencedOffError extends Error {
  constructor({ partition }: Fence) {
    super(`partition ${partition} is written under another lease by now`);
    this.name = "FencedOffError";
  }
}

/** Thrown when MySQL is of another epoch than Redis was, or has forgotten a flush: nothing of the write stays. */
export class EpochChangedError extends Error {
  constructor({ partition }: Fence) {
    super(`partition ${partition} is of another epoch by now, or MySQL is behind what was flushed`);
    this.name = "EpochChangedError";
  }
}

/** Makes a lease the one under which a partition is written; whoever wrote under another is fenced off. */
export async function claim(knex: Knex, { partition, lease }: Fence): Promise<void> {
  await knex("partitions").where("partition_number", partition).update({ lease });
}

/**
 * Runs a write in a transaction that commits only under the lease that was claimed last, and together with the
 * flush sequence: rows and their count are there both or not at all. The lease and the epoch are read after the
 * write, and locked: as they are now, and not as they were when the transaction first read anything; and whoever would
 * claim another waits until this has committed. So nothing is written by one who is fenced off, also where a client
 * has meanwhile deleted what it is about to commit.
 *
 * @throws {FencedOffError} where another lease was claimed, {EpochChangedError} where the stores no longer agree, or
 *   what `confirm` throws; the transaction is rolled back
 */
export async function underLease<T>(
  knex: Knex,
  flush: FencedFlush,
  write: (transaction: Knex.Transaction) => Promise<T>,
): Promise<T> {
  return knex.transaction(async (transaction) => {
    const outcome = await write(transaction);
    const { epoch, flushSequence } = await requireLease(transaction, flush);
    const { mark, partition, confirm } = flush;
    if (mark) {
      if (epoch !== mark.epoch || flushSequence < mark.committed) throw new EpochChangedError(flush);
      await advance(transaction, partition, mark);
    }
    confirm();
    return outcome;
  });
}

/** Locks the partition's row, whose lease must be the given one; answers what else it says. */
async function requireLease(
  transaction: Knex.Transaction,
  fence: Fence,
): Promise<Pick<StoredEpoch, "epoch" | "flushSequence">> {
  const row: { lease: string; epoch: string; flush_sequence: number } | undefined = await transaction(
    "partitions",
  )
    .where("partition_number", fence.partition)
    .forUpdate()
    .first("lease", "epoch", "flush_sequence");
  if (row?.lease !== fence.lease) throw new FencedOffError(fence);
  return { epoch: row.epoch, flushSequence: row.flush_sequence };
}
