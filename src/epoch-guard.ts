/**
 * Notices that Redis or MySQL has lost data: it was emptied, started again without its files, or put back to an older
 * copy. Both hold the epoch of each partition and a sequence that grows with the flushes. An epoch that differs, or a
 * sequence on one side behind what the other side knows that it had, is a loss: a new epoch begins in MySQL, then in
 * Redis, and no counter of the old one gives a number before it is reloaded.
 */
import { randomUUID } from "node:crypto";

import type { Buffer } from "./buffer/buffer.ts";
import type { BufferEpoch } from "./buffer/epochs.ts";
import { agreeOnPartitions } from "./partitioning.ts";
import type { StoredEpoch } from "./store/epochs.ts";
import type { Store } from "./store/store.ts";

/** Told of each loss that is noticed. */
export type LossListener = (loss: Loss & { readonly partition: number }) => void;

interface Loss {
  readonly store: "Redis" | "MySQL";
  readonly reason: string;
}

/** Logs each loss: of Redis what was accepted and not flushed since its copy may be gone, of MySQL what was flushed. */
export function reportLoss(log: { error(fields: object, message: string): void }): LossListener {
  return (loss) => {
    log.error(loss, `${loss.store} has lost data: counters resume above a gap`);
  };
}

export class EpochGuard {
  readonly #buffer: Buffer;
  readonly #store: Store;
  readonly #onLoss: LossListener;
  /** Of each partition, the Redis process whose data was found to be whole. */
  readonly #verified = new Map<number, string>();
  readonly #verifying = new Map<number, Promise<void>>();
  /** That all processes divide the data alike: asked once for all partitions, and again after a reconnect. */
  #agreed: Promise<void> | undefined;
  /** Of each partition, the Redis process that serves it, as far as that is certain. */
  readonly #serving = new Map<number, string>();
  #reconnects = 0;
  #doubts = 0;

  constructor(buffer: Buffer, store: Store, onLoss: LossListener) {
    this.#buffer = buffer;
    this.#store = store;
    this.#onLoss = onLoss;
    buffer.onReconnect(() => {
      this.#reconnects += 1;
      this.#serving.clear();
      this.#agreed = undefined;
    });
  }

  /** Whether nothing has happened to Redis since the partition was last found to be whole. */
  isVerified(partition: number): boolean {
    return this.verifiedProcess(partition) !== undefined;
  }

  /** The Redis process that serves a partition, if it is known to be whole at this moment. */
  verifiedProcess(partition: number): string | undefined {
    const serving = this.#serving.get(partition);
    return this.#verified.get(partition) === serving ? serving : undefined;
  }

  /** Makes the next `verify` of a partition look, whatever was found before. */
  doubt(partition: number): void {
    this.#doubts += 1;
    this.#verified.delete(partition);
  }

  /**
   * The Redis process that serves a partition, as soon as it is known to be whole: what was read from another one says
   * nothing of this one. Throws as `verify` does.
   */
  async servedBy(partition: number): Promise<string> {
    let process = this.verifiedProcess(partition);
    while (process === undefined) {
      await this.verify(partition);
      process = this.verifiedProcess(partition);
    }
    return process;
  }

  /**
   * Resolves when Redis is known to be whole, or a new epoch has begun. The same Redis process as before
   * needs no look into MySQL.
   *
   * @throws {PartitionsError} where the data is divided into another number of partitions
   * @throws {BufferUnavailableError} or MySQL's error, where it cannot be known
   */
  async verify(partition: number): Promise<void> {
    let verifying = this.#verifying.get(partition);
    if (!verifying) {
      verifying = this.#verify(partition).finally(() => this.#verifying.delete(partition));
      this.#verifying.set(partition, verifying);
    }
    return verifying;
  }

  async #verify(partition: number): Promise<void> {
    const serving = await this.#whoServes(partition);
    if (this.#verified.get(partition) === serving) return;
    const doubts = this.#doubts;
    await this.#agree();
    while (!(await this.#compare(partition)));
    if (doubts === this.#doubts) this.#verified.set(partition, serving);
  }

  async #agree(): Promise<void> {
    const agreed = (this.#agreed ??= agreeOnPartitions(this.#buffer, this.#store));
    try {
      await agreed;
    } catch (error) {
      if (this.#agreed === agreed) this.#agreed = undefined;
      throw error;
    }
  }

  async #whoServes(partition: number): Promise<string> {
    const known = this.#serving.get(partition);
    if (known !== undefined) return known;
    const reconnects = this.#reconnects;
    const serving = await this.#buffer.epochs.servedBy(partition);
    // An answer from before the connection was lost says nothing of whoever serves now.
    if (reconnects === this.#reconnects) this.#serving.set(partition, serving);
    return serving;
  }

  /**
   * Looks at Redis, at MySQL, and at Redis again, as flushes go on meanwhile: what Redis knew before that MySQL has
   * committed MySQL must have, and what MySQL has, Redis must have counted by then. Answers whether the stores agree;
   * they do not where an epoch was to be begun, which another process may have done or another loss prevented.
   */
  async #compare(partition: number): Promise<boolean> {
    const reconnects = this.#reconnects;
    const before = await this.#buffer.epochs.beginComparison(partition, randomUUID());
    const stored = (await this.#store.epochs.read(partition)) ?? (await this.#beginFirst(partition));
    const after = await this.#buffer.epochs.read(partition);
    if (before.epoch !== after.epoch) return false;
    const known = { ...after, committed: before.committed };
    const loss = lossOf(known, stored);
    if (loss === undefined) return true;
    this.#onLoss({ partition, ...loss });
    const begun = await this.#store.epochs.replace(partition, stored, randomUUID(), known.losses);
    // A Redis that was put back to an older copy since may have the word too.
    if (reconnects === this.#reconnects) await this.#buffer.epochs.begin(partition, begun, true, before.word);
    return false;
  }

  async #beginFirst(partition: number): Promise<StoredEpoch> {
    // In Redis first: to whoever finds an epoch in MySQL, a Redis without it is one that lost it.
    const known = await this.#buffer.epochs.beginFirst(partition, randomUUID());
    // A MySQL that knows of no flush has none, whatever was begun: where Redis knows better, MySQL was emptied.
    return this.#store.epochs.begin(partition, { ...known, flushSequence: 0 });
  }
}

/** What says that Redis or MySQL has lost data, if anything does. Pure. */
export function lossOf(known: BufferEpoch, stored: StoredEpoch): Loss | undefined {
  if (known.epoch === undefined) return { store: "Redis", reason: "Redis is empty" };
  if (known.losses > stored.losses) {
    return { store: "MySQL", reason: "MySQL is of an earlier epoch than Redis" };
  }
  if (known.epoch !== stored.epoch) return { store: "Redis", reason: "Redis is of another epoch than MySQL" };
  if (known.flushSequence < stored.flushSequence) {
    return { store: "Redis", reason: "Redis is behind what was flushed" };
  }
  if (stored.flushSequence < known.committed) {
    return { store: "MySQL", reason: "MySQL is behind what was flushed" };
  }
  return undefined;
}
