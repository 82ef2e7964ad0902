import type { Buffer } from "../buffer/buffer.ts";
import { BufferUnavailableError } from "../buffer/connections.ts";
import type { Logger } from "../telemetry.ts";
import { pointOf } from "./rates.ts";
import { readStatus } from "./status.ts";

const everyMs = 2500;

/** Adds what the numbers are to the history every few seconds; answers how to stop. Redis may be away. */
export function startSampler(buffer: Buffer, logger: Logger): () => Promise<void> {
  let running = Promise.resolve();
  let isRunning = false;
  const timer = setInterval(() => {
    if (isRunning) return;
    isRunning = true;
    running = sample(buffer)
      .catch((err: unknown) => {
        if (!(err instanceof BufferUnavailableError)) logger.error({ err }, "the history was not recorded");
      })
      .finally(() => {
        isRunning = false;
      });
  }, everyMs).unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}

/** Adds one point to the history. @throws {BufferUnavailableError} */
export async function sample(buffer: Buffer): Promise<void> {
  // By the clock of Redis: a point of a host that is ahead would keep out those of the others.
  await buffer.history.record(pointOf(await readStatus(buffer), await buffer.jobs.nowMs()));
}
