import { setTimeout as delay } from "node:timers/promises";

import type { Buffer } from "../buffer/buffer.ts";
import type { Lease } from "../buffer/leases.ts";
import type { FencedFlush } from "../store/fence.ts";
import type { Store } from "../store/store.ts";
import type { NewRow } from "../store/tables.ts";
import { Drain } from "./drain.ts";
import { EpochGuard, reportLoss } from "../epoch-guard.ts";
import { dropLanded } from "./landed-letters.ts";
import type { LeaseTurns } from "./lease-turns.ts";
import { Membership } from "./membership.ts";
import { type CountedWrite, removeSome } from "./remove-some.ts";
import { partitionSource } from "./partition-source.ts";
import { PartitionWorker } from "./partition-worker.ts";
import { SequenceMark } from "./sequence-mark.ts";
import type { Clock, FlushLog, ListName, Sink, Trigger } from "./ports.ts";
import { LatestTrouble } from "./trouble.ts";

export interface FlusherSettings {
  readonly thresholds: Readonly<Record<ListName, number>>;
  readonly maxRows: number;
  /** Whether this process writes to the search index as well. */
  readonly keepsIndex?: boolean;
}

/** Drains its share of the partitions, each under its lease, until it is stopped. */
export class Flusher {
  readonly membership: Membership;
  readonly #stop = new AbortController();
  readonly #workers: readonly PartitionWorker[];
  readonly #running: Promise<unknown>;

  constructor(buffer: Buffer, store: Store, settings: FlusherSettings, ownLog: FlushLog) {
    const trouble = new LatestTrouble(systemClock);
    const log = trouble.heardIn(ownLog);
    this.membership = new Membership(buffer, log, { ...settings, troubleOf: () => trouble.view });
    const turns = this.membership.turnsAtDraining(systemClock);
    const epochs = new EpochGuard(buffer, store, reportLoss(log));
    const parts: FlusherParts = { buffer, store, settings, log, membership: this.membership, turns, epochs };
    this.#workers = Array.from({ length: buffer.partitions }, (_, partition) => workerOf(partition, parts));
    this.#running = Promise.all([turns, ...this.#workers].map((one) => one.run(this.#stop.signal)));
  }

  /** Asks for a flush of one partition, or of all. */
  trigger(trigger: Trigger, partition?: number): void {
    const workers = partition === undefined ? this.#workers : this.#workers.slice(partition, partition + 1);
    for (const worker of workers) worker.post(trigger);
  }

  /** Resolves when the batches in hand are finished and the leases given back. Nothing is drained. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.membership.leave();
    await this.#running;
    await this.membership.end();
  }
}

interface FlusherParts {
  readonly buffer: Buffer;
  readonly store: Store;
  readonly settings: FlusherSettings;
  readonly log: FlushLog;
  readonly membership: Membership;
  readonly turns: LeaseTurns;
  readonly epochs: EpochGuard;
}

function workerOf(partition: number, parts: FlusherParts): PartitionWorker {
  const { buffer, store, settings, log, membership, turns, epochs } = parts;
  const mark = new SequenceMark(buffer, store, epochs, partition);
  let lookedUnder: string | undefined;
  return new PartitionWorker({
    partition,
    clock: systemClock,
    log,
    turns,
    leases: {
      acquire: (durationMs) => buffer.leases.acquire(partition, membership.owner, durationMs),
      renew: (lease, durationMs) => buffer.leases.renew(lease, durationMs),
      release: (lease) => buffer.leases.release(lease),
    },
    drain: async (lease, trigger, signal, isHeld) => {
      await mark.claim(lease);
      // Once a lease: a Redis that is put back is another, under which a lease is taken anew.
      if (lookedUnder !== lease.value) await dropLanded(buffer, store, partition);
      lookedUnder = lease.value;
      return drainOf(buffer, store, settings, log, lease, signal, { mark, isHeld }).run(trigger);
    },
    removeSome: async (lease) => {
      await mark.claim(lease);
      const counted: CountedWrite = (write) => mark.counted(lease, write);
      return !(await buffer.pauses.isPaused(partition)) && removeSome(buffer, store, partition, counted);
    },
    standBack: () => {
      membership.standBack(partition);
    },
  });
}

/** The drain of one partition under one lease; `mark` counts its flushes. */
export function drainOf(
  buffer: Buffer,
  store: Store,
  settings: FlusherSettings,
  log: FlushLog,
  lease: Lease,
  signal: AbortSignal,
  { mark, isHeld }: { readonly mark: SequenceMark; readonly isHeld: () => boolean },
): Drain {
  const limits = () => ({ maxRows: settings.maxRows, maxBytes: store.limit.batchBytes() });
  const source = partitionSource(buffer, lease, limits, mark);
  const write = (list: ListName, rows: readonly NewRow[], flush: FencedFlush) =>
    list === "chats" ? store.writes.writeChats(rows, flush) : store.writes.writeMessages(rows, flush);
  const sink: Sink = {
    write: async (list, rows) => mark.counted(lease, (flush) => write(list, rows, flush)),
  };
  return new Drain({ ...settings, source, sink, log, signal, isHeld, clock: systemClock });
}

/** The time of this process. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  sleep: async (ms, signal) => {
    // An abort ends the wait early and is no failure: the sleeper looks at its signal.
    await delay(ms, undefined, { signal }).catch(() => undefined);
  },
};
