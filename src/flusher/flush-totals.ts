import type { WriteOutcome } from "../store/outcome.ts";
import type { Trigger } from "./ports.ts";

/** Upper bounds of the flush duration histogram, seconds. */
export const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/**
 * What one flush adds to the totals that all flushers share in Redis, by field: integers only, as Redis adds
 * those exactly.
 */
export function totalsOf(
  trigger: Trigger,
  outcome: WriteOutcome,
  refused: number,
  durationMs: number,
): Map<string, number> {
  const bucket = durationBuckets.find((bound) => durationMs <= bound * 1000);
  return new Map([
    [`flushes:${trigger}`, 1],
    [`rows:${trigger}`, outcome.inserted],
    ["already-there", outcome.alreadyThere],
    ["updated", outcome.updated],
    ["deleted", outcome.deleted],
    ["superseded", outcome.superseded],
    ["conflicts", outcome.conflicts.length],
    ["refused", refused],
    ["duration-us", Math.round(durationMs * 1000)],
    [`duration-le:${bucket ?? "inf"}`, 1],
  ]);
}

/** The totals as metrics want them. */
export interface FlushTotals {
  readonly rowsByTrigger: Readonly<Record<Trigger, number>>;
  readonly flushesByTrigger: Readonly<Record<Trigger, number>>;
  readonly alreadyThere: number;
  readonly updated: number;
  readonly deleted: number;
  readonly superseded: number;
  /** Records whose number another record holds in MySQL; this must stay 0. */
  readonly conflicts: number;
  readonly refused: number;
  readonly durationSumSeconds: number;
  /** For each of `durationBuckets`, the flushes that took at most as long; and last, all flushes. */
  readonly durationCounts: readonly number[];
}

/** Reads fields as `totalsOf` names them, summed over any number of partitions. */
export function readTotals(partitions: readonly ReadonlyMap<string, number>[]): FlushTotals {
  const sum = (field: string) => partitions.reduce((total, fields) => total + (fields.get(field) ?? 0), 0);
  const byTrigger = (name: string) => ({
    threshold: sum(`${name}:threshold`),
    minute: sum(`${name}:minute`),
    manual: sum(`${name}:manual`),
  });
  let atMost = 0;
  const durationCounts = [...durationBuckets, "inf"].map((bound) => (atMost += sum(`duration-le:${bound}`)));
  return {
    rowsByTrigger: byTrigger("rows"),
    flushesByTrigger: byTrigger("flushes"),
    alreadyThere: sum("already-there"),
    updated: sum("updated"),
    deleted: sum("deleted"),
    superseded: sum("superseded"),
    conflicts: sum("conflicts"),
    refused: sum("refused"),
    durationSumSeconds: sum("duration-us") / 1_000_000,
    durationCounts,
  };
}
