import type { Batch, Death, PendingEntry } from "../buffer/batch.ts";
import type { AckReply } from "../buffer/pending-batches.ts";
import type { Flush } from "../buffer/recent-flushes.ts";
import type { Stranded } from "../buffer/stranded.ts";
import type { WriteOutcome } from "../store/outcome.ts";
import type { NewRow } from "../store/tables.ts";

/** The lists a flusher drains. */
export type ListName = Batch["list"];

/** Why a flush runs. */
export type Trigger = "threshold" | "minute" | "manual";

/** Where batches come from: one partition of the buffer, under one lease. */
export interface Source {
  length(list: ListName): Promise<number>;
  /** Reads a batch and leaves it there; `skip` references before it are passed over. */
  peek(list: ListName, skip: number): Promise<Batch>;
  /** The entries of a batch that cannot be written, as the chat they belong to was refused. */
  stranded(batch: Batch): Promise<Stranded>;
  /** Removes a committed batch, keeps apart what died and why, and adds to the totals. */
  acknowledge(
    batch: Batch,
    deaths: ReadonlyMap<PendingEntry, Death>,
    totals: ReadonlyMap<string, number>,
  ): Promise<AckReply>;
  /** Whether an operator wants nothing to be flushed for now. */
  isPaused(): Promise<boolean>;
  /** Shows a flush that is done to people. */
  remember(flush: Flush): Promise<void>;
}

/** Where batches go. When it resolves, every row is committed or accounted for. */
export interface Sink {
  write(list: ListName, rows: readonly NewRow[]): Promise<WriteOutcome>;
}

/** Time, handed in so that a test need not wait for it. */
export interface Clock {
  /** Monotonic milliseconds. */
  nowMs(): number;
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** What the flusher tells whoever runs it. */
export interface FlushLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
