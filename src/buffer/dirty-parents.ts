import type { Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";
import { type Parent, parentPath, parseParentPath } from "./references.ts";
import type { Scripts } from "./scripts.ts";

/** An application or chat beneath which rows were written or deleted since its count was last written. */
export interface DirtyParent extends Parent {
  /** Grows with each such change. */
  readonly sequence: number;
}

/** Which parents' stored counts must be recomputed. An acknowledgement marks them, in the same step. */
export class DirtyParents {
  readonly #connection: Connection;
  readonly #scripts: Scripts;
  readonly #keys: Keys;

  constructor(connection: Connection, scripts: Scripts, keys: Keys) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#keys = keys;
  }

  /** How many parents of a partition are dirty. */
  async count(partition: number): Promise<number> {
    return this.#connection.client.zcard(this.#keys.dirty(partition));
  }

  /** Up to `limit` dirty parents of a partition, those changed longest ago first. */
  async list(partition: number, limit: number): Promise<DirtyParent[]> {
    const key = this.#keys.dirty(partition);
    const flat = await this.#connection.client.zrange(key, "0", String(limit - 1), "WITHSCORES");
    return scoredPairs(flat).map(([path, sequence]) => ({ ...parseParentPath(path), sequence }));
  }

  /** Takes the marks off parents whose counts were written; one that was touched since it was read stays. */
  async clean(partition: number, parents: readonly DirtyParent[]): Promise<void> {
    const args = parents.flatMap((parent) => [parentPath(parent), parent.sequence]);
    await this.#scripts.run("clean", [this.#keys.dirty(partition)], args);
  }

  /** Names the loss of Redis' data after which every count must be recomputed, if there was one. */
  async recountOwed(partition: number): Promise<string | undefined> {
    const mark = this.#connection.client.hget(this.#keys.meta(partition), "recount");
    return (await mark) ?? undefined;
  }

  /** Says that every count was recomputed since that loss. */
  async recounted(partition: number, mark: string): Promise<void> {
    await this.#scripts.run("clear-mark", [this.#keys.meta(partition)], ["recount", mark]);
  }
}

/** A sorted set's members with their scores, as Redis replies them: one after the other. */
export function scoredPairs(flat: readonly string[]): [member: string, score: number][] {
  return flat.flatMap((member, at) => (at % 2 === 0 ? [[member, Number(flat[at + 1])]] : []));
}
