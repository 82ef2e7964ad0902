import { blamesRows, classify, type FailureClass, reasonOf, refusalOf } from "../store/failure.ts";
import { nothingWritten, sumOutcomes, type WriteOutcome } from "../store/outcome.ts";

/** What became of rows, those that MySQL refuses for their content apart, each with its reason. */
export interface Isolated<Row> {
  readonly outcome: WriteOutcome;
  readonly refused: ReadonlyMap<Row, string>;
}

type Write<Row> = (rows: readonly Row[]) => Promise<WriteOutcome>;

/** What became of some rows, and why each that is refused is: the server's own word for it. */
interface Parts<Row> {
  readonly outcome: WriteOutcome;
  readonly refusals: ReadonlyMap<Row, unknown>;
}

/** Of what rows may be to blame for, what may have ended when the other rows are written. */
const passing: readonly FailureClass[] = ["not-unique", "unlisted"];

/**
 * Writes rows, and where MySQL refuses them for what one of them holds, or for their size together, writes
 * each half by itself: about twice as many statements as the logarithm of the rows, for each that is refused.
 * Where it refuses every one of several for the same reason, and that is none that is known to lie in a row, no row
 * is to blame; where it took some, the others are tried once more, as the reason may have ended in between: another
 * row, changed or removed, has given up what has to be unique.
 *
 * @throws any other error of `write`, and that one
 */
export async function writeIsolating<Row>(write: Write<Row>, rows: readonly Row[]): Promise<Isolated<Row>> {
  const { outcome, refusals } = await writeInParts(write, rows);
  const errors = [...refusals.values()];
  const [first] = errors;
  const isCommon = errors.every(
    (error) => classify(error) === "unlisted" && reasonOf(error) === reasonOf(first),
  );
  if (rows.length > 1 && errors.length === rows.length && isCommon) throw first;
  const mayHaveEnded = (error: unknown) => rows.length > 1 && passing.includes(classify(error));
  const open = [...refusals].filter(([, error]) => mayHaveEnded(error)).map(([row]) => row);
  const settled = [...refusals].filter(([, error]) => !mayHaveEnded(error));
  const again = await writeInParts(write, open);
  const refused = new Map([...settled, ...again.refusals].map(([row, error]) => [row, refusalOf(error)]));
  return { outcome: sumOutcomes(outcome, again.outcome), refused };
}

async function writeInParts<Row>(write: Write<Row>, rows: readonly Row[]): Promise<Parts<Row>> {
  if (rows.length === 0) return { outcome: nothingWritten, refusals: new Map() };
  try {
    return { outcome: await write(rows), refusals: new Map() };
  } catch (error) {
    if (!blamesRows(error)) throw error;
    const [only] = rows;
    if (only !== undefined && rows.length === 1) {
      return { outcome: nothingWritten, refusals: new Map([[only, error]]) };
    }
  }
  const middle = Math.ceil(rows.length / 2);
  const left = await writeInParts(write, rows.slice(0, middle));
  const right = await writeInParts(write, rows.slice(middle));
  return {
    outcome: sumOutcomes(left.outcome, right.outcome),
    refusals: new Map([...left.refusals, ...right.refusals]),
  };
}
