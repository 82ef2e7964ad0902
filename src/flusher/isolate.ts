import { classify, errorCode } from "../store/failure.ts";
import { nothingWritten, sumOutcomes, type WriteOutcome } from "../store/outcome.ts";

/** What became of rows, those that MySQL refuses for their content apart, each with its reason. */
export interface Isolated<Row> {
  readonly outcome: WriteOutcome;
  readonly refused: ReadonlyMap<Row, string>;
}

/**
 * Writes rows, and where MySQL refuses them for what one of them holds, or for their size together, writes
 * each half by itself: about twice as many statements as the logarithm of the rows, for each that is refused.
 *
 * @throws any other error of `write`
 */
export async function writeIsolating<Row>(
  write: (rows: readonly Row[]) => Promise<WriteOutcome>,
  rows: readonly Row[],
): Promise<Isolated<Row>> {
  if (rows.length === 0) return { outcome: nothingWritten, refused: new Map() };
  try {
    return { outcome: await write(rows), refused: new Map() };
  } catch (error) {
    const failure = classify(error);
    if (failure !== "bad-data" && failure !== "too-large") throw error;
    const [only] = rows;
    if (only !== undefined && rows.length === 1) {
      return { outcome: nothingWritten, refused: new Map([[only, errorCode(error) ?? failure]]) };
    }
  }
  const middle = Math.ceil(rows.length / 2);
  const left = await writeIsolating(write, rows.slice(0, middle));
  const right = await writeIsolating(write, rows.slice(middle));
  return {
    outcome: sumOutcomes(left.outcome, right.outcome),
    refused: new Map([...left.refused, ...right.refused]),
  };
}
