import type { Knex } from "knex";

import { advance, type StoredMark } from "./epochs.ts";

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

/** Makes a lease the one under which a partition is written; whoever wrote under another is fenced off. */
export async function claim(knex: Knex, { partition, lease }: Fence): Promise<void> {
  await knex("partitions").where("partition_number", partition).update({ lease });
}

/**
 * Runs a write in a transaction that commits only under the lease that was claimed last, and together with the
 * flush sequence: rows and their count are there both or not at all. The lease is read after the write, and
 * locked: as it is now, and not as it was when the transaction first read anything; and whoever would claim
 * another waits until this has committed. So nothing is written by one who is fenced off, also where a client
 * has meanwhile deleted what it is about to commit.
 *
 * @throws {FencedOffError} where another lease was claimed, or what `confirm` throws; the transaction is rolled back
 */
export async function underLease<T>(
  knex: Knex,
  flush: FencedFlush | undefined,
  write: (transaction: Knex.Transaction) => Promise<T>,
): Promise<T> {
  return knex.transaction(async (transaction) => {
    const outcome = await write(transaction);
    if (flush?.mark) await advance(transaction, flush.partition, flush.mark);
    if (flush) await requireLease(transaction, flush);
    flush?.confirm();
    return outcome;
  });
}

async function requireLease(transaction: Knex.Transaction, fence: Fence): Promise<void> {
  const row: { lease: string } | undefined = await transaction("partitions")
    .where("partition_number", fence.partition)
    .forUpdate()
    .first("lease");
  if (row?.lease !== fence.lease) throw new FencedOffError(fence);
}
