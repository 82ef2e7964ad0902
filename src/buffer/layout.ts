import type { Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";

/** Into how many partitions this Redis was found to be divided; MySQL is asked where it does not say. */
export class BufferLayout {
  readonly #connection: Connection;
  readonly #keys: Keys;

  constructor(connection: Connection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** "changing" while a change of the number is not finished; nothing where Redis does not know. */
  async read(): Promise<number | "changing" | undefined> {
    const noted = await this.#connection.client.get(this.#keys.partitionCount());
    if (noted === null) return undefined;
    return noted === "changing" ? noted : Number(noted);
  }

  async note(partitions: number | "changing"): Promise<void> {
    await this.#connection.client.set(this.#keys.partitionCount(), String(partitions));
  }
}
