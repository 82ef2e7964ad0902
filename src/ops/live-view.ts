import type { RunningProcess } from "../buffer/processes.ts";
import type { Flush } from "../buffer/recent-flushes.ts";
import type { Finding, Verdict } from "./findings.ts";
import { ageText, bytesText, countText, rateText, timeText } from "./format.ts";
import type { Overview } from "./overview.ts";
import type { PartitionStatus } from "./status.ts";

/**
 * The texts that change while a page is open: the page is made of them, and each live update brings them anew.
 * So a number is put into words in one place.
 */
export interface LiveView {
  readonly verdict: Verdict;
  readonly headline: string;
  readonly findings: readonly Finding[];
  /** By the name that the element on the page has. */
  readonly fields: Readonly<Record<string, string>>;
  /** Rows of cells, by the name that the table's body has. */
  readonly tables: Readonly<Record<string, readonly (readonly string[])[]>>;
}

const headlines: Readonly<Record<Verdict, string>> = {
  good: "All is well.",
  warning: "Works, but look at this:",
  bad: "Act now:",
};

/** Partitions whose numbers are kept up to date on a page. */
export const livePartitions = 64;

/** What the pages show of an overview. */
export function liveView({ at, verdict, findings, engines, numbers }: Overview): LiveView {
  const engineFields = engines.flatMap(({ name, answers, detail }): [string, string][] => [
    [`engine.${name}`, answers ? "up" : "down"],
    [`engine.${name}.detail`, detail],
  ]);
  const fields: Record<string, string> = { at: timeText(new Date(at)), ...Object.fromEntries(engineFields) };
  if (!numbers) return { verdict, headline: headlines[verdict], findings, fields, tables: {} };
  const { pending, accepted, rates, limits } = numbers;
  const waiting = pending.chats + pending.messages;
  Object.assign(fields, {
    acceptedPerSecond: rateText(rates.acceptedPerSecond),
    flushedPerSecond: rateText(rates.flushedPerSecond),
    pending: countText(waiting),
    pendingChats: countText(pending.chats),
    pendingMessages: countText(pending.messages),
    pendingBytes: bytesText(numbers.pendingBytes),
    room: countText(limits.records * numbers.partitions),
    oldestAge: ageText(numbers.oldestAgeSeconds),
    deadLetters: countText(numbers.deadLetters),
    conflicts: countText(numbers.flushed.conflicts),
    acceptedChats: countText(accepted.chats),
    acceptedMessages: countText(accepted.messages),
    indexOwed: countText(numbers.index.owed.documents + numbers.index.owed.removals),
    indexAge: ageText(numbers.index.oldestAgeSeconds),
    drained: `${countText(numbers.partitionsDrained)} of ${countText(numbers.partitions)}`,
    ...Object.assign({}, ...numbers.perPartition.slice(0, livePartitions).map(partitionFields)),
  });
  const tables = {
    flushes: numbers.lastFlushes.map(flushCells),
    processes: numbers.processes.map(processCells),
  };
  return { verdict, headline: headlines[verdict], findings, fields, tables };
}

/** The texts of one partition. */
export function partitionFields(one: PartitionStatus): Record<string, string> {
  const texts = {
    chats: countText(one.pending.chats),
    messages: countText(one.pending.messages),
    bytes: bytesText(one.pendingBytes),
    oldest: ageText(one.oldestAgeSeconds),
    dead: countText(one.deadLetters),
    drainedBy: one.drainedBy ?? "nobody",
    state: one.paused ? "PAUSED" : "flushing",
    sequence: countText(one.flushSequence),
  };
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [`p${one.partition}.${name}`, text]));
}

export const flushHeads = ["Time (UTC)", "Partition", "List", "Trigger", "Rows", "Bytes", "Took"] as const;

function flushCells({ at, partition, list, trigger, rows, bytes, durationMs }: Flush): string[] {
  return [
    timeText(at),
    String(partition),
    list,
    trigger,
    countText(rows),
    bytesText(bytes),
    `${countText(durationMs)} ms`,
  ];
}

export const processHeads = ["Role", "Host", "Process", "Runs for", "Node"] as const;

function processCells({ role, host, pid, startedAtMs, version }: RunningProcess): string[] {
  return [
    role,
    host,
    String(pid),
    ageText(Math.max(0, Math.floor((Date.now() - startedAtMs) / 1000))),
    version,
  ];
}
