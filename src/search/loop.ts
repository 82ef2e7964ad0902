import type { Clock, IndexLog } from "./ports.ts";

export interface LoopParts {
  readonly clock: Clock;
  readonly log: IndexLog;
  /** How long to wait after so many failures in a row. */
  readonly backoffMs: (failures: number) => number;
  /** Whether an error passes by itself, and nobody need act. */
  readonly isOutage: (error: unknown) => boolean;
}

/**
 * Takes one step after another until the signal aborts: at once while there is more to do, after `idleMs`
 * otherwise. A failure is waited out for as long as it takes, and told once until it is over.
 */
export async function repeat(
  { clock, log, backoffMs, isOutage }: LoopParts,
  signal: AbortSignal,
  { idleMs, failure }: { idleMs: number; failure: string },
  step: () => Promise<boolean>,
): Promise<void> {
  const isStopped = () => signal.aborted;
  let failures = 0;
  while (!isStopped()) {
    try {
      const hasMore = await step();
      if (failures > 0) log.info({}, `over: ${failure}`);
      failures = 0;
      if (!hasMore) await clock.sleep(idleMs, signal);
    } catch (error) {
      if (isStopped()) return;
      if (!isOutage(error)) log.error({ err: error }, failure);
      else if (failures === 0) log.warn({ err: error }, failure);
      await clock.sleep(backoffMs(failures), signal);
      failures += 1;
    }
  }
}
