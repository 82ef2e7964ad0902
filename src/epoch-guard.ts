/**
 * Notices that Redis has lost data: it was emptied, started again without its files, or put back to an older
 * copy. Redis and MySQL both hold the epoch of each partition and a sequence that grows with the flushes. An
 * epoch that differs, or a sequence in Redis behind that in MySQL, is a loss: a new epoch begins in MySQL,
 * then in Redis, and no counter of the old one gives a number before it is reloaded.
 */
import { randomUUID } from "node:crypto";

import type { Buffer } from "./buffer/buffer.ts";
import { agreeOnPartitions } from "./partitioning.ts";
import type { StoredEpoch } from "./store/epochs.ts";
import type { Store } from "./store/store.ts";

/** Told of each loss that is noticed. */
export type LossListener = (loss: { readonly partition: number; readonly reason: string }) => void;

/** Logs each loss: what was accepted and not flushed since the copy that Redis runs on may be gone. */
export function reportLoss(log: { error(fields: object, message: string): void }): LossListener {
  return (loss) => {
    log.error(loss, "Redis has lost data: counters resume above a gap");
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
    const serving = this.#serving.get(partition);
    return serving !== undefined && this.#verified.get(partition) === serving;
  }

  /** Makes the next `verify` of a partition look, whatever was found before. */
  doubt(partition: number): void {
    this.#verified.delete(partition);
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
    await this.#agree();
    const stored = await this.#store.epochs.read(partition);
    await (stored ? this.#compare(partition, stored) : this.#beginFirst(partition));
    this.#verified.set(partition, serving);
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

  async #beginFirst(partition: number): Promise<void> {
    // In Redis first: to whoever finds an epoch in MySQL, a Redis without it is one that lost it.
    const known = await this.#buffer.epochs.beginFirst(partition, randomUUID());
    await this.#compare(partition, await this.#store.epochs.begin(partition, known));
  }

  async #compare(partition: number, stored: StoredEpoch): Promise<void> {
    const known = await this.#buffer.epochs.read(partition);
    const reason = lossOf(known, stored);
    if (reason === undefined) return;
    this.#onLoss({ partition, reason });
    const { epoch, flushSequence } = await this.#store.epochs.replace(partition, stored.epoch, randomUUID());
    await this.#buffer.epochs.begin(partition, epoch, flushSequence, true);
  }
}

/** What says that Redis has lost data, if anything does. Pure. */
export function lossOf(
  known: { readonly epoch: string | undefined; readonly flushSequence: number },
  stored: StoredEpoch,
): string | undefined {
  if (known.epoch === undefined) return "Redis is empty";
  if (known.epoch !== stored.epoch) return "Redis is of another epoch than MySQL";
  if (known.flushSequence < stored.flushSequence) return "Redis is behind what was flushed";
  return undefined;
}
