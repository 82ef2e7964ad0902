import type { Recorded } from "../observed/recorded.ts";

export interface TortureReport {
  readonly seed: number;
  /** By kind of fault. */
  readonly faults: ReadonlyMap<string, number>;
  /** What else happened beside the visits: hours that passed, lulls, dead letters. */
  readonly others: ReadonlyMap<string, number>;
  /** By operation and outcome. */
  readonly operations: ReadonlyMap<string, number>;
  /** Why operations were not done. */
  readonly causes: ReadonlyMap<string, number>;
  /** Warnings and errors of the processes that were killed, by message. */
  readonly logs: ReadonlyMap<string, number>;
  readonly rows: number;
  /** Records whose history was checked, and of those the ones with too many possible orders. */
  readonly records: number;
  readonly undecided: number;
  /** All that was asked and answered. */
  readonly history: readonly Recorded[];
  /** What is not as it must be; nothing, where Sluice keeps its word. */
  readonly problems: readonly string[];
}

/** The report for a person, the seed first. */
export function describeReport(report: TortureReport): string {
  const { seed, faults, others, operations, causes, logs, rows, records, undecided, problems } = report;
  const kills = [...faults].filter(([name]) => name.startsWith("kill")).map(([, count]) => count);
  const found = `${rows} rows, ${records} records checked, ${undecided} undecided, ${problems.length} problems`;
  return [
    `seed ${seed}: ${sum(faults.values())} faults, ${sum(kills)} of them kills, ${found}`,
    "faults injected",
    ...table(faults),
    "beside them",
    ...table(others),
    `operations: ${["done", "missing", "refused", "unknown"].map((outcome) => ended(operations, outcome)).join(", ")}`,
    ...table(operations),
    "not done for",
    ...table(causes),
    "warnings and errors logged",
    ...table(logs),
    ...problems.slice(0, 20).map((problem) => `PROBLEM ${problem}`),
  ].join("\n");
}

function table(counts: ReadonlyMap<string, number>): string[] {
  return [...counts]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, count]) => `  ${String(count).padStart(7)}  ${name}`);
}

function ended(operations: ReadonlyMap<string, number>, outcome: string): string {
  const counts = [...operations].filter(([name]) => name.endsWith(` ${outcome}`)).map(([, count]) => count);
  return `${sum(counts)} ${outcome}`;
}

function sum(counts: Iterable<number>): number {
  return [...counts].reduce((total, count) => total + count, 0);
}
