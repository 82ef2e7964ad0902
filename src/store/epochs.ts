import type { Knex } from "knex";

import { throughContention } from "./contention.ts";
import { classify } from "./failure.ts";
import { beginAgain } from "./removal-notes.ts";

/** The epoch of a partition and how far its flushes have come, as MySQL knows them. */
export interface StoredEpoch {
  readonly epoch: string;
  readonly flushSequence: number;
  /** Losses of data before the epoch: its place among all epochs of the partition. */
  readonly losses: number;
  /** No change before the last flush, nor of that flush, had a sequence above this, whatever the clocks said. */
  readonly touched: number;
}

/** What the last flush that MySQL knows of said of the buffer: what a restored Redis is measured by. */
export interface LastFlush {
  readonly atMs: number;
  /** Chats and messages accepted in all by then. */
  readonly accepted: number;
  /** Records and changes that were pending then, those of the flush included. */
  readonly pending: number;
}

/** How a flush was counted in Redis before it is written. */
export interface StoredMark extends Omit<StoredEpoch, "losses"> {
  /** The last flush that MySQL is known to have committed. */
  readonly committed: number;
  readonly accepted: number;
  readonly pending: number;
}

/** Notes how far the flushes of an epoch have come, within the transaction that writes one of them. */
export async function advance(
  transaction: Knex.Transaction,
  partition: number,
  { epoch, flushSequence, accepted, pending, touched }: StoredMark,
): Promise<void> {
  await transaction("partitions")
    .where({ partition_number: partition, epoch })
    .where("flush_sequence", "<", flushSequence)
    .update({ flush_sequence: flushSequence, accepted, pending, touched, updated_at: new Date() });
}

interface PartitionRow {
  readonly epoch: string;
  readonly flush_sequence: number;
  readonly losses: number;
  readonly touched: number;
  readonly updated_at: Date;
}

/** Milliseconds between the commit of a flush and its acknowledgement, and more. */
const acknowledgedWithinMs = 60_000;

/** Keeps what Redis must at least know. Every change is settled by what is read back. */
export class Epochs {
  readonly #knex: Knex;

  constructor(pool: Knex) {
    this.#knex = pool;
  }

  async read(partition: number): Promise<StoredEpoch | undefined> {
    const row: PartitionRow | undefined = await this.#knex("partitions")
      .where("partition_number", partition)
      .first("epoch", "flush_sequence", "losses", "touched", "updated_at");
    return (
      row && {
        epoch: row.epoch,
        flushSequence: row.flush_sequence,
        losses: row.losses,
        // The last flush was counted with the sequence before its own, which then was the time or the next one.
        touched: Math.max(row.touched, row.updated_at.getTime()) + acknowledgedWithinMs,
      }
    );
  }

  /** Notes the first epoch of a partition, unless there is one; answers the one that there is. */
  async begin(
    partition: number,
    { epoch, flushSequence, losses }: Omit<StoredEpoch, "touched">,
  ): Promise<StoredEpoch> {
    const row = { partition_number: partition, epoch, flush_sequence: flushSequence, losses };
    try {
      await this.#knex("partitions").insert({ ...row, updated_at: new Date() });
    } catch (error) {
      if (classify(error) !== "duplicate") throw error;
    }
    return this.#readBack(partition);
  }

  /**
   * Replaces an epoch after a loss, unless another process has; answers the one that there is then. It comes after all
   * that Redis knows of, also where MySQL has forgotten some. What was removed is looked for again: it may come back.
   */
  async replace(
    partition: number,
    old: StoredEpoch,
    epoch: string,
    knownLosses: number,
  ): Promise<StoredEpoch> {
    const losses = Math.max(old.losses, knownLosses) + 1;
    await throughContention(() =>
      this.#knex.transaction(async (transaction) => {
        // First: it waits for a removal that is under way, whose next step then meets the new epoch.
        await transaction("partitions")
          .where({ partition_number: partition, epoch: old.epoch })
          .update({ epoch, losses });
        await beginAgain(transaction);
      }),
    );
    return this.#readBack(partition);
  }

  /** What was noted with the last flush of a partition. */
  async lastFlush(partition: number): Promise<LastFlush | undefined> {
    const row: { accepted: number; pending: number; updated_at: Date } | undefined = await this.#knex(
      "partitions",
    )
      .where("partition_number", partition)
      .first("accepted", "pending", "updated_at");
    return row && { atMs: row.updated_at.getTime(), accepted: row.accepted, pending: row.pending };
  }

  async #readBack(partition: number): Promise<StoredEpoch> {
    const found = await this.read(partition);
    if (!found) throw new Error(`partition ${partition} has no epoch though one was written`);
    return found;
  }
}
