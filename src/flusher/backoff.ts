const firstMs = 100;
const greatestMs = 5000;

/**
 * How long to wait before the next attempt, milliseconds: doubled each time up to five seconds, and half of it
 * left to chance ("equal jitter"), so that flushers that failed together do not come back together.
 */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(greatestMs, firstMs * 2 ** Math.min(attempt, 20));
  return ceiling / 2 + (random() * ceiling) / 2;
}
