/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/**
 * The last line of npm test, and whether the run has failed. A run that ended badly with no failed test, as
 * when a file cannot be loaded, counts as one failure.
 *
 * @param {Counts | undefined} counts what the reporter wrote at the end, if it came so far
 * @param {number} exitCode mocha's
 */
export function summaryLine(counts, exitCode) {
  const { passed, skipped, failed } = counts ?? { passed: 0, skipped: 0, failed: 1 };
  const failures = exitCode === 0 ? failed : Math.max(failed, 1);
  const line = `${passed} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
  return { line, failed: failures > 0 };
}
