import type { Buffer } from "../buffer/buffer.ts";
import { BufferUnavailableError } from "../buffer/connections.ts";
import type { Lease } from "../buffer/leases.ts";
import type { EpochGuard } from "../epoch-guard.ts";
import type { FencedFlush } from "../store/fence.ts";
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
   * Counts a flush in Redis; to be called before each write, which notes the count in MySQL together with its
   * rows: once they are there, a Redis without them is known to be behind. A loss must be noticed before that,
   * as counting on from an older copy would hide it. Where Redis has no epoch there is nothing to note.
   *
   * @throws {BufferUnavailableError} or MySQL's error, where it cannot be known whether Redis is whole
   */
  async count(lease: Lease): Promise<FencedFlush> {
    if (!this.#epochs.isVerified(this.#partition)) await this.#epochs.verify(this.#partition);
    const { epoch, ...counted } = await this.#buffer.epochs.advance(this.#partition);
    return {
      partition: this.#partition,
      lease: lease.value,
      mark: epoch === undefined ? undefined : { epoch, ...counted },
      confirm: () => {
        this.#confirm();
      },
    };
  }

  /**
   * Another Redis may have come in place of the one that has the count; who compared it with MySQL before the
   * rows were there has found nothing missing. So they are not committed, and are counted again.
   */
  #confirm(): void {
    if (this.#epochs.isVerified(this.#partition)) return;
    throw new BufferUnavailableError("the connection was lost while a flush was written");
  }
}
