import { setTimeout as delay } from "node:timers/promises";

import type { Buffer } from "../buffer/buffer.ts";
import type { PartitionTotals } from "../buffer/totals.ts";
import type { Config } from "../config.ts";
import { readStatus } from "../ops/status.ts";
import { OperatorError } from "./operator-error.ts";
import { openConfiguredBuffer } from "./parts.ts";

const lookEveryMs = 100;
const patienceMs = 60_000;
const lists = ["chats", "messages"] as const;

/**
 * Asks the running flushers to flush now, and waits until what was accepted before the call is in MySQL.
 *
 * @throws where no flusher runs, or it is not done within a minute
 */
export async function runFlush(config: Config): Promise<void> {
  const buffer = await openConfiguredBuffer(config, "draining");
  try {
    const before = await readStatus(buffer);
    if (before.partitionsDrained < before.partitions && !(await doesFlusherRun(buffer))) {
      throw new OperatorError("No flusher is running: start one with `sluice flusher` or `npm start`.");
    }
    if (before.partitionsPaused > 0) {
      throw new OperatorError("Flushing is paused; resume it on the dashboard.");
    }
    const waiting = before.pending.chats + before.pending.messages;
    const asked = await readTotals(buffer);
    for (let partition = 0; partition < buffer.partitions; partition += 1) {
      await buffer.wake(partition, "manual");
    }
    await untilFlushed(buffer, asked);
    console.log(`Flushed: ${waiting} records that were pending are in MySQL.`);
  } finally {
    buffer.close();
  }
}

/** Where one runs, a partition that nobody drains just changes hands. */
async function doesFlusherRun(buffer: Buffer): Promise<boolean> {
  return (await buffer.processes.list()).some(({ role }) => role === "flusher");
}

function readTotals(buffer: Buffer): Promise<PartitionTotals[]> {
  const partitions = Array.from({ length: buffer.partitions }, (_, partition) => partition);
  return Promise.all(partitions.map((partition) => buffer.totals.read(partition)));
}

/** Resolves when all that was pending as it was `asked` for has left the lists. */
async function untilFlushed(buffer: Buffer, asked: readonly PartitionTotals[]): Promise<void> {
  const deadlineMs = performance.now() + patienceMs;
  while (performance.now() < deadlineMs) {
    const now = await readTotals(buffer);
    const isDone = now.every((totals, at) => lists.every((list) => hasLeft(list, asked[at], totals)));
    if (isDone) return;
    await delay(lookEveryMs);
  }
  throw new OperatorError(
    "The flush was not done within a minute; `sluice status` and the flusher's log say more.",
  );
}

function hasLeft(
  list: "chats" | "messages",
  asked: PartitionTotals | undefined,
  now: PartitionTotals,
): boolean {
  return now.pending[list] === 0 || now.left[list] >= (asked ? asked.left[list] + asked.pending[list] : 0);
}
