import type { Buffer } from "../buffer/buffer.ts";
import type { Lease } from "../buffer/leases.ts";
import type { EpochGuard } from "../epoch-guard.ts";
import type { Store } from "../store/store.ts";

/**
 * Counts the flushes of a partition in both stores, first in Redis: a Redis that was put back to an older
 * copy is then behind MySQL. Each batch counts: a copy that is one flush old must be noticed, as the numbers
 * of that flush would be given again.
 */
export class SequenceMark {
  readonly #buffer: Buffer;
  readonly #store: Store;
  readonly #epochs: EpochGuard;
  readonly #partition: number;
  #claimed: string | undefined;

  constructor(buffer: Buffer, store: Store, epochs: EpochGuard, partition: number) {
    this.#buffer = buffer;
    this.#store = store;
    this.#epochs = epochs;
    this.#partition = partition;
  }

  /**
   * To be called before anything is read under a lease. From then on nobody else writes the partition; and a
   * loss of Redis data must be noticed before, as counting on from an older copy would hide it.
   */
  async claim(lease: Lease): Promise<void> {
    if (this.#claimed === lease.value) return;
    await this.#epochs.verify(this.#partition);
    await this.#store.writes.claim({ partition: this.#partition, lease: lease.value });
    this.#claimed = lease.value;
  }

  /**
   * To be called before each write of a batch: once its rows are there, a Redis without it must be known to be
   * behind. A loss must be noticed before that, as counting on from an older copy would hide it.
   */
  async beforeWrite(): Promise<void> {
    if (!this.#epochs.isVerified(this.#partition)) await this.#epochs.verify(this.#partition);
    const [{ epoch }, mark] = await Promise.all([
      this.#buffer.epochs.read(this.#partition),
      this.#buffer.epochs.advance(this.#partition),
    ]);
    if (epoch !== undefined) await this.#store.epochs.advance(this.#partition, { epoch, ...mark });
  }
}
