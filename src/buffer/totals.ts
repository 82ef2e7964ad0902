import { readRecord } from "../records.ts";
import type { Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";
import { type Pause, parsePause } from "./pauses.ts";
import { type ListName, parseReference } from "./references.ts";

/** What one partition holds and has done, as of now. */
export interface PartitionTotals {
  readonly pending: Readonly<Record<ListName, number>>;
  readonly pendingBytes: number;
  /** When the oldest pending record was accepted, Unix milliseconds; absent when nothing is pending. */
  readonly oldestAcceptedAtMs: number | undefined;
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
  readonly #keys: Keys;

  constructor(connection: Connection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  async read(partition: number): Promise<PartitionTotals> {
    const [chats, messages] = [this.#keys.list(partition, "chats"), this.#keys.list(partition, "messages")];
    const [chatCount, messageCount, meta, flushed, lease, dead, pause, oldestChat, oldestMessage] =
      await this.#connection.settled(
        Promise.all([
          this.#connection.client.llen(chats),
          this.#connection.client.llen(messages),
          this.#connection.client.hgetall(this.#keys.meta(partition)),
          this.#connection.client.hgetall(this.#keys.flushed(partition)),
          this.#connection.client.get(this.#keys.lease(partition)),
          this.#connection.client.zcard(this.#keys.deadLetters(partition)),
          this.#connection.client.get(this.#keys.operators.paused(partition)),
          this.#connection.client.lindex(chats, 0),
          this.#connection.client.lindex(messages, 0),
        ]),
      );
    const ages = await Promise.all([this.#acceptedAt(oldestChat), this.#acceptedAt(oldestMessage)]);
    const known = ages.filter((at) => at !== undefined);
    return {
      pending: { chats: chatCount, messages: messageCount },
      pendingBytes: Number(meta["bytes"] ?? 0),
      oldestAcceptedAtMs: known.length > 0 ? Math.min(...known) : undefined,
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

  async #acceptedAt(reference: string | null): Promise<number | undefined> {
    if (reference === null) return undefined;
    const place = parseReference(reference);
    if (!place) return undefined;
    const hash = this.#keys.home(place);
    const payload = await this.#connection.settled(this.#connection.client.hget(hash, String(place.number)));
    return payload === null ? undefined : readRecord(payload)?.updatedAtMs;
  }
}
