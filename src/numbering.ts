/**
 * Where a parent goes on numbering when its counter is loaded anew. No number is given twice, so it must lie above every
 * number that was ever answered, also above those that went with lost data and that nobody knows any more.
 */

/** The greatest number that one side knows of, and how many losses of data had come before it was given, at least. */
export interface KnownNumber {
  readonly greatest: number;
  readonly losses: number;
}

/**
 * The number above which a parent goes on, from all that is known of it: for each loss since a number was known, `gap`
 * numbers are left out, as up to so many may have been answered and lost. Pure.
 */
export function resumeAbove(known: readonly KnownNumber[], losses: number, gap: number): number {
  const floors = known.map((one) => one.greatest + gap * Math.max(0, losses - one.losses));
  return Math.max(0, ...floors);
}
