import type { Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";
import type { Scripts } from "./scripts.ts";

/** The epoch of a partition and how far its flushes have come, as Redis knows them. */
export interface BufferEpoch {
  readonly epoch: string | undefined;
  /** Batches that were begun. */
  readonly flushSequence: number;
  /** The last of them that MySQL is known to have committed. */
  readonly committed: number;
  /** Losses of data before the epoch: its place among all epochs of the partition. */
  readonly losses: number;
}

/** An epoch that is to begin, as MySQL has it. */
interface BeginningEpoch {
  readonly epoch: string;
  readonly flushSequence: number;
  readonly losses: number;
  /** Sequences of changes go on above this. */
  readonly touched: number;
}

/** How far a partition had come when a flush began. */
export interface FlushMark extends BufferEpoch {
  /** Chats and messages accepted in all. */
  readonly accepted: number;
  /** Entries of the pending lists, those of the flush included. */
  readonly pending: number;
  /** The sequence of the last change that was written. */
  readonly touched: number;
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
    const meta = this.#keys.meta(partition);
    return epochOf(await this.#connection.client.hmget(meta, ...epochFields));
  }

  /**
   * Begins a comparison with MySQL: what Redis says, and the word under which an epoch may begin for as long as this is
   * the Redis that was asked, and nobody has begun another. `word` is a fresh random one.
   */
  async beginComparison(partition: number, word: string): Promise<BufferEpoch & { readonly word: string }> {
    const reply = await this.#scripts.run("begin-comparison", [this.#keys.meta(partition)], [word]);
    const [comparing, ...state] = reply as [string, ...(string | null)[]];
    return { ...epochOf(state), word: comparing };
  }

  /** Begins the first epoch, unless there is one; answers the one that there is then. */
  async beginFirst(partition: number, epoch: string): Promise<BufferEpoch & { readonly epoch: string }> {
    const reply = await this.#scripts.run("begin-first", [this.#keys.meta(partition)], [epoch]);
    const known = epochOf(reply as (string | null)[]);
    return { ...known, epoch: known.epoch ?? epoch };
  }

  /**
   * Begins an epoch in Redis that a comparison has found necessary, unless what was compared is no longer so; counters
   * of the one before must then be reloaded. After a loss all counts are due, and the whole search index.
   */
  async begin(
    partition: number,
    { epoch, flushSequence, losses, touched }: BeginningEpoch,
    isLoss: boolean,
    word: string,
  ): Promise<void> {
    const args = [epoch, flushSequence, losses, isLoss ? Date.now() : 0, word, touched];
    await this.#scripts.run("begin-epoch", [this.#keys.meta(partition)], args);
  }

  /** Counts one more flush; answers the count, and the epoch, what was accepted and is pending as of then. */
  async advance(partition: number): Promise<FlushMark> {
    const lists = (["chats", "messages"] as const).map((list) => this.#keys.list(partition, list));
    const reply = await this.#scripts.run("count-flush", [this.#keys.meta(partition), ...lists], []);
    const state = reply as (string | null)[];
    const [chats, messages, touched, pending] = state.slice(epochFields.length).map(Number);
    return {
      ...epochOf(state),
      accepted: (chats ?? 0) + (messages ?? 0),
      pending: pending ?? 0,
      touched: touched ?? 0,
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

const epochFields = ["epoch", "sequence", "committed", "losses"] as const;

function epochOf([epoch, sequence, committed, losses]: (string | null)[]): BufferEpoch {
  return {
    epoch: epoch ?? undefined,
    flushSequence: Number(sequence ?? 0),
    committed: Number(committed ?? 0),
    losses: Number(losses ?? 0),
  };
}
