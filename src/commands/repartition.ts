import { randomUUID } from "node:crypto";

import type { Buffer } from "../buffer/buffer.ts";
import type { Config } from "../config.ts";
import { EpochGuard } from "../epoch-guard.ts";
import { requireRest } from "../jobs/restore.ts";
import { openStore, type Store } from "../store/store.ts";
import type { Repartition } from "../store/layout.ts";
import { OperatorError } from "./operator-error.ts";
import { openBufferUnchecked } from "./parts.ts";
import { progressOf } from "./progress.ts";

/**
 * Divides the data into another number of partitions. Nothing may be pending, paused or at work. It can be
 * broken off at any point: nothing starts until it was run again, which finishes it.
 *
 * @throws {OperatorError} or {RestoreRefusedError} where it would do harm; nothing was changed then
 */
export async function runRepartition(config: Config, wanted: string): Promise<void> {
  const to = numberOf(wanted);
  const store = openStore(config.database, "writing");
  try {
    const unfinished = await store.layout.unfinished();
    if (unfinished && unfinished.to !== to) {
      throw new OperatorError(`A change to ${unfinished.to} partitions is not finished: finish it first.`);
    }
    const from = unfinished?.from ?? (await store.layout.agree(config.redis.partitions));
    if (!unfinished && from === to) {
      console.log(`The data is divided into ${to} partitions already.`);
      return;
    }
    await withBuffer(config, from, (buffer) => requireOrder(buffer, store, !unfinished));
    const change = unfinished ?? (await store.layout.begin({ from, to, epoch: randomUUID() }));
    if (!unfinished) await withBuffer(config, from, (buffer) => requireRestAgain(buffer, store, change));
    await withBuffer(config, to, (buffer) => divide(buffer, store, change, unfinished !== undefined));
    console.log(`The data is divided into ${to} partitions: start with PARTITIONS=${to}, and take a backup.`);
  } finally {
    await store.close();
  }
}

function numberOf(wanted: string): number {
  const number = Number(wanted);
  if (!/^\d{1,4}$/.test(wanted) || number < 1 || number > 1024) {
    throw new OperatorError("The number of partitions is a whole number from 1 to 1024.");
  }
  return number;
}

async function withBuffer(
  config: Config,
  partitions: number,
  act: (buffer: Buffer) => Promise<void>,
): Promise<void> {
  const buffer = await openBufferUnchecked({ ...config, redis: { ...config.redis, partitions } }, "draining");
  try {
    await act(buffer);
  } finally {
    buffer.close();
  }
}

/** Nobody is at work, and, before the first step, nothing is pending and Redis is whole. */
async function requireOrder(buffer: Buffer, store: Store, isFirst: boolean): Promise<void> {
  await requireRest(buffer);
  if (!isFirst) return;
  const epochs = new EpochGuard(buffer, store, ({ reason }) => {
    console.error(`${reason}: numbers resume above a gap.`);
  });
  for (let partition = 0; partition < buffer.partitions; partition += 1) {
    if (await buffer.pauses.isPaused(partition)) {
      throw new OperatorError(`Partition ${partition} is paused: resume it on the dashboard first.`);
    }
    await epochs.verify(partition);
  }
}

/**
 * Looks again who runs and what is pending, now that nobody starts any more: whoever started since the first look has
 * said so before it could know of the change. Where somebody has, the change is taken back.
 */
async function requireRestAgain(buffer: Buffer, store: Store, change: Repartition): Promise<void> {
  await buffer.layout.note("changing");
  try {
    await requireRest(buffer);
  } catch (error) {
    await store.layout.abandon(change);
    await buffer.layout.note(change.from);
    throw error;
  }
}

async function divide(buffer: Buffer, store: Store, change: Repartition, isResumed: boolean): Promise<void> {
  const { repartitioning, layout } = buffer;
  await layout.note("changing");
  const stored = await store.layout.greatest();
  const baseline = await repartitioning.begin({ ...change, isResumed }, stored);
  const total = await repartitioning.keyCount();
  const progress = progressOf(process.stderr, { total, what: "keys" });
  await repartitioning.move(progress.advance);
  progress.done();
  await repartitioning.finish();
  // From here on it is done, whatever happens.
  await store.layout.finish(change, baseline);
  await layout.note(change.to);
  await repartitioning.end();
}
