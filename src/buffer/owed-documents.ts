import { byParent } from "./batch.ts";
import type { Connection } from "./connections.ts";
import { scoredPairs } from "./dirty-parents.ts";
import type { Keys } from "./keys.ts";
import { type Parent, parentPath, parseParentPath } from "./references.ts";
import type { Scripts } from "./scripts.ts";

/** A message of some chat whose search document must be written again. */
export interface OwedDocument {
  readonly number: number;
  /**
   * Grows with each change of the message that was committed. A row that is read after this was is at least as
   * new as it: the document is written under it as its version, so that a late write never replaces a newer one.
   */
  readonly sequence: number;
}

/** An owed document and the chat it belongs to. */
export interface OwedMessage extends OwedDocument {
  readonly token: string;
  readonly chatNumber: number;
}

/** A chat that has owed documents. */
export type OwedChat = Required<Parent>;

/** What the partition's index is owed, as numbers. */
export interface OwedTotals {
  readonly documents: number;
  readonly removals: number;
  /** How long ago the oldest owed document was committed, by the clock of Redis; 0 when none is owed. */
  readonly oldestAgeMs: number;
}

/**
 * The search documents that must be written again. An acknowledgement makes them owed in the same step in which
 * it takes the records off the buffer, so that a crash at any point leaves each of them in one or the other.
 */
export class OwedDocuments {
  readonly #connection: Connection;
  readonly #scripts: Scripts;
  readonly #keys: Keys;
  readonly #mostOwed: number;

  /** `mostOwed` is 0 where there is no index to write to. */
  constructor(connection: Connection, scripts: Scripts, keys: Keys, mostOwed: number) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#keys = keys;
    this.#mostOwed = mostOwed;
  }

  /** What is owed in a partition; costs the same however much it is. */
  async totals(partition: number): Promise<OwedTotals> {
    const { client } = this.#connection;
    const [documents, removals, oldest, nowMs] = await Promise.all([
      client.hget(this.#keys.meta(partition), "owed"),
      client.zcard(this.#keys.owedRemovals(partition)),
      client.zrange(this.#keys.owedChats(partition), "0", "0", "WITHSCORES"),
      this.#scripts.timeMs(this.#keys.meta(partition)),
    ]);
    const [, committedAtMs = nowMs] = scoredPairs(oldest)[0] ?? [];
    return { documents: Number(documents ?? 0), removals, oldestAgeMs: Math.max(0, nowMs - committedAtMs) };
  }

  /** Up to `limit` chats of a partition with owed documents, those that wait longest first. */
  async chats(partition: number, limit: number): Promise<OwedChat[]> {
    const key = this.#keys.owedChats(partition);
    const paths = await this.#connection.client.zrange(key, "0", String(limit - 1));
    return paths.map((path) => ({ chatNumber: 0, ...parseParentPath(path) }));
  }

  /** Up to `limit` owed documents of a chat, those that wait longest first. */
  async list(chat: OwedChat, limit: number): Promise<OwedDocument[]> {
    const flat = await this.#connection.client.zrange(
      this.#keys.owed(chat),
      "0",
      String(limit - 1),
      "WITHSCORES",
    );
    return scoredPairs(flat).map(([number, sequence]) => ({ number: Number(number), sequence }));
  }

  /** Which of some messages of a chat have an owed document, by number. */
  async among(chat: OwedChat, numbers: readonly number[]): Promise<Set<number>> {
    if (numbers.length === 0) return new Set();
    const scores = await this.#connection.client.zmscore(this.#keys.owed(chat), ...numbers.map(String));
    return new Set(numbers.filter((_, at) => (scores[at] ?? null) !== null));
  }

  /** Takes documents that can be found by now off what is owed; one that was owed again since stays. */
  async settle(partition: number, messages: readonly OwedMessage[]): Promise<void> {
    const keys = [this.#keys.meta(partition), this.#keys.owedChats(partition)];
    const args: (string | number)[] = [];
    for (const siblings of byParent(messages).values()) {
      const [chat] = siblings;
      keys.push(this.#keys.owed(chat));
      args.push(parentPath(chat), siblings.length);
      args.push(...siblings.flatMap(({ number, sequence }) => [number, sequence]));
    }
    if (args.length > 0) await this.#scripts.run("settle", keys, args);
  }

  /**
   * Takes the next sequence of a partition, and makes these messages owed under it, if any. Rows read from MySQL
   * after this may be written to the index under it: whatever is committed later is owed under a greater one.
   */
  async owe(partition: number, messages: readonly Omit<OwedMessage, "sequence">[] = []): Promise<number> {
    const keys = [this.#keys.meta(partition), this.#keys.owedChats(partition)];
    const args: (string | number)[] = [];
    for (const siblings of byParent(messages).values()) {
      const [chat] = siblings;
      keys.push(this.#keys.owed(chat));
      args.push(parentPath(chat), siblings.length, ...siblings.map(({ number }) => number));
    }
    return Number(await this.#scripts.run("owe", keys, args));
  }

  /** Up to `limit` deleted applications and chats whose documents must go. */
  async removals(partition: number, limit: number): Promise<Parent[]> {
    const key = this.#keys.owedRemovals(partition);
    const paths = await this.#connection.client.zrange(key, "0", String(limit - 1));
    return paths.map(parseParentPath);
  }

  /** Makes it owed that all documents beneath a deleted application or chat go, if there is an index. */
  async oweRemoval(parent: Parent): Promise<void> {
    if (this.#mostOwed === 0) return;
    const key = this.#keys.owedRemovals(this.#keys.partitionOf(parent.token));
    await this.#scripts.run("owe-removal", [key], [parentPath(parent), Date.now()]);
  }

  /** Says that all documents beneath a parent are gone. */
  async settleRemoval(parent: Parent): Promise<void> {
    const key = this.#keys.owedRemovals(this.#keys.partitionOf(parent.token));
    await this.#connection.client.zrem(key, parentPath(parent));
  }

  /** Set while the whole index must be compared with MySQL: more was owed than may be, or Redis lost data. */
  async behind(partition: number): Promise<string | undefined> {
    const mark = this.#connection.client.hget(this.#keys.meta(partition), "behind");
    return (await mark) ?? undefined;
  }

  /** Says that the index was compared with MySQL, and mended, since the mark was read. */
  async caughtUp(partition: number, mark: string): Promise<void> {
    await this.#scripts.run("clear-mark", [this.#keys.meta(partition)], ["behind", mark]);
  }
}
