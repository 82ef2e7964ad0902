import { setTimeout as delay } from "node:timers/promises";

import type { Buffer } from "../buffer/buffer.ts";
import type { Config } from "../config.ts";
import { readStatus } from "../ops/status.ts";
import { OperatorError } from "./operator-error.ts";
import { openConfiguredBuffer } from "./parts.ts";

const lookEveryMs = 100;
const patienceMs = 60_000;

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
    for (let partition = 0; partition < buffer.partitions; partition += 1) {
      await buffer.wake(partition, "manual");
    }
    await untilFlushed(buffer, Date.now());
    console.log(`Flushed: ${waiting} records that were pending are in MySQL.`);
  } finally {
    buffer.close();
  }
}

/** Where one runs, a partition that nobody drains just changes hands. */
async function doesFlusherRun(buffer: Buffer): Promise<boolean> {
  return (await buffer.processes.list()).some(({ role }) => role === "flusher");
}

/** Resolves when the oldest pending record, if any, was accepted after `askedAtMs`. */
async function untilFlushed(buffer: Buffer, askedAtMs: number): Promise<void> {
  const deadlineMs = askedAtMs + patienceMs;
  while (Date.now() < deadlineMs) {
    const { oldestAgeSeconds, pending } = await readStatus(buffer);
    if (pending.chats + pending.messages === 0) return;
    // The age is not known while the oldest record is just leaving.
    if (oldestAgeSeconds > 0 && Date.now() - oldestAgeSeconds * 1000 > askedAtMs) return;
    await delay(lookEveryMs);
  }
  throw new OperatorError(
    "The flush was not done within a minute; `sluice status` and the flusher's log say more.",
  );
}
