import type { Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";
import { type Pause, parsePause } from "./pauses.ts";
import type { PendingHeads } from "./pending-heads.ts";
import type { ListName } from "./references.ts";
import type { Scripts } from "./scripts.ts";
import { type Waits, waitsOf } from "./waits.ts";

/** What one partition holds and has done, as of now. */
export interface PartitionTotals {
  readonly pending: Readonly<Record<ListName, number>>;
  /** How many references have left each list since the data began. */
  readonly left: Readonly<Record<ListName, number>>;
  readonly pendingBytes: number;
  readonly waits: Waits;
  readonly accepted: Readonly<Record<ListName, number>>;
  /** The totals that flushes have added, by field. */
  readonly flushed: ReadonlyMap<string, number>;
  /** Records that MySQL refused, or whose number another record holds. */
  readonly deadLetters: number;
  /** Who drains the partition, if anyone does. */
  readonly lease: string | undefined;
  readonly pause: Pause | undefined;
  readonly epoch: string | undefined;
  /** Flushes that were begun since the partition exists. */
  readonly flushSequence: number;
}

/** Reads the numbers behind status and metrics. Nothing here costs more as more is pending. */
export class Totals {
  readonly #connection: Connection;
  readonly #scripts: Scripts;
  readonly #keys: Keys;
  readonly #heads: PendingHeads;

  constructor(connection: Connection, scripts: Scripts, keys: Keys, heads: PendingHeads) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#keys = keys;
    this.#heads = heads;
  }

  async read(partition: number): Promise<PartitionTotals> {
    const [chats, messages] = [this.#keys.list(partition, "chats"), this.#keys.list(partition, "messages")];
    const [chatCount, messageCount, meta, flushed, lease, dead, pause, nowMs, chatAtMs, messageAtMs] =
      await Promise.all([
        this.#connection.client.llen(chats),
        this.#connection.client.llen(messages),
        this.#connection.client.hgetall(this.#keys.meta(partition)),
        this.#connection.client.hgetall(this.#keys.flushed(partition)),
        this.#connection.client.get(this.#keys.lease(partition)),
        this.#connection.client.zcard(this.#keys.deadLetters(partition)),
        this.#connection.client.get(this.#keys.operators.paused(partition)),
        this.#scripts.timeMs(this.#keys.meta(partition)),
        this.#heads.acceptedAtMs(partition, "chats"),
        this.#heads.acceptedAtMs(partition, "messages"),
      ]);
    return {
      pending: { chats: chatCount, messages: messageCount },
      left: { chats: Number(meta["head:chats"] ?? 0), messages: Number(meta["head:messages"] ?? 0) },
      pendingBytes: Number(meta["bytes"] ?? 0),
      waits: waitsOf(nowMs, [
        { length: chatCount, acceptedAtMs: chatAtMs, noted: meta["waits:chats"] },
        { length: messageCount, acceptedAtMs: messageAtMs, noted: meta["waits:messages"] },
      ]),
      accepted: {
        chats: Number(meta["accepted:chats"] ?? 0),
        messages: Number(meta["accepted:messages"] ?? 0),
      },
      flushed: new Map(Object.entries(flushed).map(([field, value]) => [field, Number(value)])),
      deadLetters: dead,
      lease: lease ?? undefined,
      pause: parsePause(pause),
      epoch: meta["epoch"],
      flushSequence: Number(meta["sequence"] ?? 0),
    };
  }
}
