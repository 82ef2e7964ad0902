import type { Buffer } from "../buffer/buffer.ts";
import { BufferUnavailableError } from "../buffer/connections.ts";
import type { CommittedFlush } from "../buffer/batch.ts";
import type { Lease } from "../buffer/leases.ts";
import type { EpochGuard } from "../epoch-guard.ts";
import { AnotherRedisError } from "./drain-errors.ts";
import { EpochChangedError, type FencedFlush } from "../store/fence.ts";
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
  /** The Redis process under which the lease was claimed. */
  #process: string | undefined;
  #committed: CommittedFlush | undefined;

  constructor(buffer: Buffer, store: Store, epochs: EpochGuard, partition: number) {
    this.#buffer = buffer;
    this.#store = store;
    this.#epochs = epochs;
    this.#partition = partition;
  }

  /**
   * Resolves where the Redis that serves the partition is the one under which its lease was claimed. What was read from
   * another one says nothing of this one, which may have another record at the same place: it must be neither written
   * nor acknowledged.
   *
   * @throws {AnotherRedisError} where it is another, and what `count` throws
   */
  async requireSameRedis(): Promise<void> {
    if ((await this.#epochs.servedBy(this.#partition)) !== this.#process) throw new AnotherRedisError();
  }

  /** The last flush that was committed, as an ack notes it: a MySQL behind it has lost data. */
  get committed(): CommittedFlush | undefined {
    return this.#committed;
  }

  /**
   * To be called before anything is read under a lease. From then on nobody else writes the partition; and a
   * loss of data must be noticed before, as counting on from an older copy would hide it.
   */
  async claim(lease: Lease): Promise<void> {
    if (this.#claimed === lease.value) return;
    this.#epochs.doubt(this.#partition);
    this.#process = await this.#epochs.servedBy(this.#partition);
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
    await this.requireSameRedis();
    const { epoch, ...counted } = await this.#buffer.epochs.advance(this.#partition);
    const mark = epoch === undefined ? undefined : { epoch, ...counted };
    return {
      partition: this.#partition,
      lease: lease.value,
      mark,
      confirm: () => {
        this.#confirm();
      },
    };
  }

  /**
   * Carries out what is written under a count, and remembers that it was committed.
   *
   * @throws {BufferUnavailableError} where the stores no longer agree; they are compared with the next count
   */
  async written<T>({ mark }: FencedFlush, write: Promise<T>): Promise<T> {
    try {
      const outcome = await write;
      if (mark) this.#committed = { epoch: mark.epoch, flushSequence: mark.flushSequence };
      return outcome;
    } catch (error) {
      if (!(error instanceof EpochChangedError)) throw error;
      this.#epochs.doubt(this.#partition);
      throw new BufferUnavailableError(error);
    }
  }

  /**
   * Another Redis may have come in place of the one that has the count; who compared it with MySQL before the
   * rows were there has found nothing missing. So they are not committed, and are counted again.
   */
  #confirm(): void {
    if (this.#epochs.verifiedProcess(this.#partition) === this.#process) return;
    throw new BufferUnavailableError("the connection was lost while a flush was written");
  }
}
