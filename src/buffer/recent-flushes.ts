import type { Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";
import type { ListName } from "./references.ts";

/** One batch that was committed and acknowledged. */
export interface Flush {
  readonly at: Date;
  readonly partition: number;
  readonly list: ListName;
  readonly trigger: string;
  /** Records that it took off the list. */
  readonly rows: number;
  /** Bytes of their texts. */
  readonly bytes: number;
  /** Time to write them to MySQL. */
  readonly durationMs: number;
}

/** Flushes that are remembered for each partition. */
const kept = 50;

/** Remembers the latest flushes, for people: nothing is decided by them. */
export class RecentFlushes {
  readonly #connection: Connection;
  readonly #keys: Keys;

  constructor(connection: Connection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  async add({ at, partition, list, trigger, rows, bytes, durationMs }: Flush): Promise<void> {
    const key = this.#keys.operators.flushes(partition);
    const entry = [at.getTime(), list, trigger, rows, bytes, Math.round(durationMs)].join(" ");
    const pipeline = this.#connection.client.pipeline();
    pipeline.lpush(key, entry).ltrim(key, 0, kept - 1);
    await pipeline.exec();
  }

  /** The latest flushes of a partition, the newest first. */
  async read(partition: number, limit: number): Promise<Flush[]> {
    const { client } = this.#connection;
    const entries = await client.lrange(
      this.#keys.operators.flushes(partition),
      0,
      Math.min(limit, kept) - 1,
    );
    return entries.map((entry) => parse(partition, entry));
  }
}

function parse(partition: number, entry: string): Flush {
  const [at, list, trigger = "", rows, bytes, durationMs] = entry.split(" ");
  return {
    at: new Date(Number(at)),
    partition,
    list: list === "chats" ? "chats" : "messages",
    trigger,
    rows: Number(rows),
    bytes: Number(bytes),
    durationMs: Number(durationMs),
  };
}
