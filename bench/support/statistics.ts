/** The middle of some measurements and how far they lie apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @throws {RangeError} where there is nothing to take the middle of */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new RangeError("no values");
  return (lower + upper) / 2;
}

export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * How many times the others are in these: the ratio of the medians, and the least and the greatest ratio of what
 * was measured in the same round, which a machine that is slower in one round than in another does not change.
 */
export function ratio(these: readonly number[], others: readonly number[]): Spread {
  const each = these.map((value, round) => value / (others[round] ?? Number.NaN));
  return { median: median(these) / median(others), min: Math.min(...each), max: Math.max(...each) };
}

/** The smallest value that a share of all, for example 0.99, is not above. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
