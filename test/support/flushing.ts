/** Flushes as a flusher does: under a lease that is claimed in MySQL, each write counted in both stores. */
import type { Buffer } from "../../src/buffer/buffer.ts";
import type { Lease } from "../../src/buffer/leases.ts";
import { EpochGuard } from "../../src/epoch-guard.ts";
import type { Drain } from "../../src/flusher/drain.ts";
import { drainOf, type FlusherSettings } from "../../src/flusher/flusher.ts";
import { partitionSource } from "../../src/flusher/partition-source.ts";
import type { FlushLog, Sink, Source } from "../../src/flusher/ports.ts";
import { type CountedWrite, removeSome } from "../../src/flusher/remove-some.ts";
import { SequenceMark } from "../../src/flusher/sequence-mark.ts";
import type { FencedFlush } from "../../src/store/fence.ts";
import type { Store } from "../../src/store/store.ts";
import { takeLease } from "./buffers.ts";

const ignore = (): void => undefined;
const silent: FlushLog = { debug: ignore, info: ignore, warn: ignore, error: ignore };
const isHeld = () => true;

/** What a test flushes a partition with. */
export class Flushing {
  readonly lease: Lease;
  readonly sink: Sink;
  /** Counts a write and carries it out. */
  readonly counted: CountedWrite;
  readonly #buffer: Buffer;
  readonly #store: Store;
  readonly #mark: SequenceMark;

  private constructor(buffer: Buffer, store: Store, lease: Lease, mark: SequenceMark) {
    this.lease = lease;
    this.#buffer = buffer;
    this.#store = store;
    this.#mark = mark;
    this.counted = (write) => mark.counted(lease, write);
    this.sink = {
      write: async (list, rows) =>
        this.counted((flush) =>
          list === "chats" ? store.writes.writeChats(rows, flush) : store.writes.writeMessages(rows, flush),
        ),
    };
  }

  /** Claims a lease, where none is given one that is taken for it. */
  static async begin(
    buffer: Buffer,
    store: Store,
    {
      lease: held,
      epochs = new EpochGuard(buffer, store, ignore),
    }: { lease?: Lease; epochs?: EpochGuard } = {},
  ): Promise<Flushing> {
    const lease = held ?? (await takeLease(buffer));
    const mark = new SequenceMark(buffer, store, epochs, lease.partition);
    await mark.claim(lease);
    return new Flushing(buffer, store, lease, mark);
  }

  /** What a drain reads from, in batches of at most `maxRows`. */
  source(maxRows: number): Source {
    return partitionSource(this.#buffer, this.lease, () => ({ maxRows, maxBytes: 1e6 }), this.#mark);
  }

  /** The drain of the partition, perhaps into another store. */
  drain(
    settings: FlusherSettings,
    { log = silent, signal = new AbortController().signal, store = this.#store } = {},
  ): Drain {
    return drainOf(this.#buffer, store, settings, log, this.lease, signal, { mark: this.#mark, isHeld });
  }

  /** As `removeSome` does. */
  async removeSome(): Promise<boolean> {
    return removeSome(this.#buffer, this.#store, this.lease.partition, this.counted);
  }
}

/** Claims a lease in MySQL alone, for writes of which Redis knows nothing; makes the partition known there before. */
export async function claimedFlush(store: Store, lease = "test"): Promise<FencedFlush> {
  if (!(await store.epochs.read(0)))
    await store.epochs.begin(0, { epoch: "epoch", flushSequence: 0, losses: 0 });
  const fence = { partition: 0, lease };
  await store.writes.claim(fence);
  return { ...fence, mark: undefined, confirm: ignore };
}
