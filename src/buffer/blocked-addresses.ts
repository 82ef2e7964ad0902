import type { RedisClient } from "./clients.ts";
import { type Connection, connectSubscriber, subscribe } from "./connections.ts";
import type { Keys } from "./keys.ts";

/** A client address that the rate limit refused. */
export interface BlockedAddress {
  readonly address: string;
  /** When it is let in again; in the past, it was blocked a while ago. */
  readonly until: Date;
}

/** Addresses remembered; of more, those blocked longest ago are forgotten. */
const kept = 1000;
/** How long an address stays listed after its block has ended. */
const listedAfterMs = 3_600_000;

/** Remembers which addresses the rate limit refused. The limit's own counts are not here. */
export class BlockedAddresses {
  readonly #connection: Connection;
  readonly #keys: Keys;
  readonly #url: string;
  #subscriber: RedisClient | undefined;

  constructor(connection: Connection, keys: Keys, url: string) {
    this.#connection = connection;
    this.#keys = keys;
    this.#url = url;
  }

  async add({ address, until }: BlockedAddress): Promise<void> {
    const key = this.#keys.operators.blockedAddresses();
    const pipeline = this.#connection.client.pipeline();
    pipeline.zadd(key, until.getTime(), address);
    pipeline.zremrangebyscore(key, "-inf", Date.now() - listedAfterMs);
    pipeline.zremrangebyrank(key, 0, -1 - kept);
    await pipeline.exec();
  }

  /** Up to `limit` addresses, the latest block first; and how many there are. */
  async list(skip: number, limit: number): Promise<{ addresses: BlockedAddress[]; total: number }> {
    const { client } = this.#connection;
    const key = this.#keys.operators.blockedAddresses();
    const range = ["+inf", Date.now() - listedAfterMs] as const;
    const [flat, total] = await Promise.all([
      client.zrevrangebyscore(key, ...range, "WITHSCORES", "LIMIT", skip, limit),
      client.zcount(key, range[1], range[0]),
    ]);
    const names = flat.filter((_, at) => at % 2 === 0);
    return {
      addresses: names.map((address, nth) => ({ address, until: new Date(Number(flat[2 * nth + 1])) })),
      total,
    };
  }

  /** Takes an address off the list and tells every API process to let it in. Whether it was listed. */
  async remove(address: string): Promise<boolean> {
    const { client } = this.#connection;
    const wasListed = await this.forget(address);
    await client.publish(this.#keys.operators.unblockChannel(), address);
    return wasListed;
  }

  /** Takes an address off the list. Whether it was on it. */
  async forget(address: string): Promise<boolean> {
    const { client } = this.#connection;
    const key = this.#keys.operators.blockedAddresses();
    return (await client.zrem(key, address)) === 1;
  }

  /** Calls back for each address that is to be let in again. Redis need not be there yet. */
  onRemoved(listener: (address: string) => void): void {
    const subscriber = connectSubscriber(this.#url);
    this.#subscriber = subscriber;
    subscriber.on("message", (_channel: string, address: string) => {
      listener(address);
    });
    // It waits for Redis, and fails only where it is closed before.
    void subscribe(subscriber, [this.#keys.operators.unblockChannel()]).catch(() => undefined);
  }

  close(): void {
    this.#subscriber?.disconnect();
  }
}
