import type { NewRow } from "./tables.ts";

/** What became of the rows of a write; each row is in exactly one of these. */
export interface WriteOutcome {
  readonly inserted: number;
  /** Rows that an earlier write, whose ack was lost, had put there: same operation id. */
  readonly alreadyThere: number;
  readonly updated: number;
  readonly deleted: number;
  /** Changes to rows that are no longer there. */
  readonly superseded: number;
  /** Rows whose place another record holds: another operation id. */
  readonly conflicts: readonly NewRow[];
}

export const nothingWritten: WriteOutcome = {
  inserted: 0,
  alreadyThere: 0,
  updated: 0,
  deleted: 0,
  superseded: 0,
  conflicts: [],
};

/** Two writes' outcomes as one. */
export function sumOutcomes(a: WriteOutcome, b: WriteOutcome): WriteOutcome {
  return {
    inserted: a.inserted + b.inserted,
    alreadyThere: a.alreadyThere + b.alreadyThere,
    updated: a.updated + b.updated,
    deleted: a.deleted + b.deleted,
    superseded: a.superseded + b.superseded,
    conflicts: [...a.conflicts, ...b.conflicts],
  };
}

/** How many rows an outcome accounts for. */
export function rowsIn(outcome: WriteOutcome): number {
  const { inserted, alreadyThere, updated, deleted, superseded, conflicts } = outcome;
  return inserted + alreadyThere + updated + deleted + superseded + conflicts.length;
}
