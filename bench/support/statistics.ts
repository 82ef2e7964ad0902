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
  const each = eachRatio(these, others);
  return { median: median(these) / median(others), min: Math.min(...each), max: Math.max(...each) };
}

const eachRatio = (these: readonly number[], others: readonly number[]) =>
  these.map((value, round) => value / (others[round] ?? Number.NaN));

/** The median of the rounds' ratios, and the interval in which the true one lies in 19 of 20 runs. */
export function pairedRatio(these: readonly number[], others: readonly number[]): Spread {
  return medianInterval(eachRatio(these, others));
}

/**
 * The median, and as least and greatest the interval that holds the true median in 19 of 20 runs, whatever the values'
 * distribution: that of the sign test (Conover, Practical Nonparametric Statistics, 3.2). Fewer than six values say no
 * more than that it lies among them.
 */
export function medianInterval(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const left = rarelyReached(sorted.length, 1 / 40);
  return {
    median: median(sorted),
    min: sorted.at(left) ?? Number.NaN,
    max: sorted.at(-1 - left) ?? Number.NaN,
  };
}

/** How many heads in so many throws of a coin are no more than by so small a chance. */
function rarelyReached(throws: number, smallChance: number): number {
  let heads = 0;
  let chance = 0.5 ** throws;
  for (let chanceOfMore = chance; ; heads += 1) {
    chance *= (throws - heads) / (heads + 1);
    chanceOfMore += chance;
    if (chanceOfMore > smallChance) return heads;
  }
}

/** The smallest value that a share of all, for example 0.99, is not above. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
