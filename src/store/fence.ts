import type { Knex } from "knex";

/** The lease under which a partition is written. */
export interface Fence {
  readonly partition: number;
  readonly lease: string;
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
 * Runs a write in a transaction that commits only under the lease that was claimed last. The lease is read
 * after the write, and locked: as it is now, and not as it was when the transaction first read anything; and
 * whoever would claim another waits until this has committed. So nothing is written by one who is fenced off,
 * also where a client has meanwhile deleted what it is about to commit.
 *
 * @throws {FencedOffError} where another lease was claimed; the transaction is rolled back
 */
export async function underLease<T>(
  knex: Knex,
  fence: Fence | undefined,
  write: (transaction: Knex.Transaction) => Promise<T>,
): Promise<T> {
  return knex.transaction(async (transaction) => {
    const outcome = await write(transaction);
    if (fence) await requireLease(transaction, fence);
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
