import { setTimeout as pause } from "node:timers/promises";

type Falsy = undefined | null | false | 0 | "";

/**
 * Asks until `condition` gives something truthy and returns that. Throws, naming `what`, when it has not by
 * then; an error that `condition` throws counts as "not yet" and is the cause of that. The default is far
 * beyond what anything takes on a busy machine, and below mocha's timeout: only what hangs comes so far.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 60_000, what }: { timeoutMs?: number; what: string },
): Promise<Exclude<T, Falsy>> {
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  do {
    try {
      const value = await condition();
      if (value) return value as Exclude<T, Falsy>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await pause(20);
  } while (performance.now() < deadline);
  throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause });
}
