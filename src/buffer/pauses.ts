import type { Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";

/** Who stopped the flushing of a partition, and when. */
export interface Pause {
  readonly by: string;
  readonly since: Date;
}

/** Stops and goes on with the flushing of partitions. Accepting goes on meanwhile, up to the buffer's bound. */
export class Pauses {
  readonly #connection: Connection;
  readonly #keys: Keys;

  constructor(connection: Connection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** From its next look on, after the batch in hand, a flusher writes nothing of the partition. */
  async pause(partition: number, by: string): Promise<void> {
    const { client } = this.#connection;
    await client.set(this.#keys.operators.paused(partition), `${Date.now()} ${by}`, "NX");
  }

  /** Flushing goes on; its flusher is woken. Whether it was paused. */
  async resume(partition: number): Promise<boolean> {
    const { client } = this.#connection;
    const removed = await client.del(this.#keys.operators.paused(partition));
    await client.publish(this.#keys.wakeChannel(partition), "manual");
    return removed === 1;
  }

  async isPaused(partition: number): Promise<boolean> {
    const { client } = this.#connection;
    return (await client.exists(this.#keys.operators.paused(partition))) === 1;
  }
}

/** Reads what `pause` wrote. */
export function parsePause(value: string | null): Pause | undefined {
  if (value === null) return undefined;
  const space = value.indexOf(" ");
  return { since: new Date(Number(value.slice(0, space))), by: value.slice(space + 1) };
}
