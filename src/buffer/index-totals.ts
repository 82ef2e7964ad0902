import type { Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";
import type { Scripts } from "./scripts.ts";

/** A message that the search index does not take, and why. */
export interface RefusedDocument {
  readonly path: string;
  readonly reason: string;
}

/** Keeps what was indexed, as a number, and what the index refused, by name. Nothing is decided by them. */
export class IndexTotals {
  readonly #connection: Connection;
  readonly #scripts: Scripts;
  readonly #keys: Keys;

  constructor(connection: Connection, scripts: Scripts, keys: Keys) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#keys = keys;
  }

  /** Counts documents that were written, which are then refused no longer. */
  async addIndexed(partition: number, paths: readonly string[]): Promise<void> {
    if (paths.length === 0) return;
    const keys = [this.#keys.indexed(partition), this.#keys.refused(partition)];
    await this.#scripts.run("count-indexed", keys, paths);
  }

  async addRefused(partition: number, documents: readonly RefusedDocument[]): Promise<void> {
    const fields = new Map(documents.map(({ path, reason }) => [path, reason]));
    if (fields.size === 0) return;
    await this.#connection.client.hset(this.#keys.refused(partition), fields);
  }

  /** How many documents were written so far, and how many messages the index does not take now. */
  async read(partition: number): Promise<{ indexed: number; refused: number }> {
    const { client } = this.#connection;
    const [indexed, refused] = await Promise.all([
      client.hget(this.#keys.indexed(partition), "documents"),
      client.hlen(this.#keys.refused(partition)),
    ]);
    return { indexed: Number(indexed ?? 0), refused };
  }
}
