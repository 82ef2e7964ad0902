import type { Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";
import type { Scripts } from "./scripts.ts";

/** The epoch of a partition and how far its flushes have come, as Redis knows them. */
export interface BufferEpoch {
  readonly epoch: string | undefined;
  readonly flushSequence: number;
}

/** How far a partition had come when a flush began. */
export interface FlushMark extends BufferEpoch {
  /** Chats and messages accepted in all. */
  readonly accepted: number;
  /** Entries of the pending lists, those of the flush included. */
  readonly pending: number;
}

/** What tells a Redis that has kept its data from one that has not. */
export class BufferEpochs {
  readonly #connection: Connection;
  readonly #scripts: Scripts;
  readonly #keys: Keys;

  constructor(connection: Connection, scripts: Scripts, keys: Keys) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#keys = keys;
  }

  async read(partition: number): Promise<BufferEpoch> {
    const [epoch, sequence] = await this.#connection.settled(
      this.#connection.client.hmget(this.#keys.meta(partition), "epoch", "sequence"),
    );
    return { epoch: epoch ?? undefined, flushSequence: Number(sequence ?? 0) };
  }

  /** Begins the first epoch, unless there is one; answers the one that there is then. */
  async beginFirst(partition: number, epoch: string): Promise<{ epoch: string; flushSequence: number }> {
    await this.#connection.settled(
      this.#connection.client.hsetnx(this.#keys.meta(partition), "epoch", epoch),
    );
    const known = await this.read(partition);
    return { epoch: known.epoch ?? epoch, flushSequence: known.flushSequence };
  }

  /** Begins an epoch in Redis; after a loss, counters of the one before resume above a gap. */
  async begin(partition: number, epoch: string, flushSequence: number, isLoss: boolean): Promise<void> {
    const args = [epoch, flushSequence, isLoss ? Date.now() : 0];
    await this.#scripts.run("begin-epoch", [this.#keys.meta(partition)], args);
  }

  /** Counts one more flush; answers the count, and the epoch, what was accepted and is pending as of then. */
  async advance(partition: number): Promise<FlushMark> {
    const meta = this.#keys.meta(partition);
    const answers = await this.#connection.settled(
      this.#connection.client
        .multi()
        .hincrby(meta, "sequence", 1)
        .hmget(meta, "epoch", "accepted:chats", "accepted:messages")
        .llen(this.#keys.list(partition, "chats"))
        .llen(this.#keys.list(partition, "messages"))
        .exec(),
    );
    const [sequence, state, chats, messages] = (answers ?? []).map(([error, answer]) => {
      if (error) throw error;
      return answer;
    });
    const [epoch, acceptedChats, acceptedMessages] = state as (string | null)[];
    return {
      epoch: epoch ?? undefined,
      flushSequence: Number(sequence),
      accepted: Number(acceptedChats ?? 0) + Number(acceptedMessages ?? 0),
      pending: Number(chats) + Number(messages),
    };
  }

  /**
   * Names the Redis process that serves a partition, in the role it has now: another name means that it was
   * started again or that a replica took over, perhaps with less data.
   */
  async servedBy(partition: number): Promise<string> {
    return String(await this.#scripts.run("who-serves", [this.#keys.meta(partition)], []));
  }
}
