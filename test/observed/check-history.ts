import { checkLists } from "./check-lists.ts";
import { checkNumbers } from "./check-numbers.ts";
import { checkRecords } from "./check-records.ts";
import type { Recorded } from "./recorded.ts";

export interface HistoryVerdict {
  /** Each with a short history of what it is about; nothing, where Sluice keeps its word. */
  readonly problems: readonly string[];
  readonly records: number;
  /** Records with more possible orders than were tried. */
  readonly undecided: number;
}

/**
 * Whether what many clients were told is what one store of records with rising numbers would have told them, that
 * loses with Redis what was not flushed; `isRefused` says which texts MySQL does not take.
 */
export function checkHistory(
  recorded: readonly Recorded[],
  isRefused: (text: string) => boolean = () => false,
): HistoryVerdict {
  const { problems, records, undecided } = checkRecords(recorded, isRefused);
  return {
    problems: [...checkNumbers(recorded), ...checkLists(recorded), ...problems],
    records,
    undecided,
  };
}
