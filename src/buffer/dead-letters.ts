import { nanoid } from "nanoid";

import { encodeRecord, operationIdIn, readRecord, stampOf } from "../records/payload.ts";
import { type PendingRecord, tombstone } from "../records/records.ts";
import { idleCounterSeconds } from "./accepting.ts";
import { partitionOfStray } from "./acknowledgement.ts";
import type { Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";
import type { PendingReads } from "./pending-reads.ts";
import { parseReference, type Place, type Reference } from "./references.ts";
import type { ReviseReply, Revising } from "./revising.ts";
import type { Scripts } from "./scripts.ts";

/**
 * A record that MySQL refused for its content, whose number another record holds, or that cannot be read. What
 * is no record at all has no place.
 */
export interface DeadLetter extends Partial<Place> {
  /** Names it in commands. */
  readonly id: string;
  readonly reason: string;
  readonly diedAt: Date;
  /** Absent where what it belonged to was deleted since. */
  readonly record: PendingRecord | undefined;
  /** What stands in its place, where it cannot be read. */
  readonly unreadable?: string;
}

/** Characters of a revision: 48 random bits, compared only between the revisions of one record. */
const revisionLength = 8;

/** Lists dead letters, and does with them what a person decides. Nothing happens to one by itself. */
export class DeadLetters {
  readonly #connection: Connection;
  readonly #scripts: Scripts;
  readonly #keys: Keys;
  readonly #reads: PendingReads;
  readonly #revising: Revising;

  constructor(connection: Connection, scripts: Scripts, keys: Keys, reads: PendingReads, revising: Revising) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#keys = keys;
    this.#reads = reads;
    this.#revising = revising;
  }

  /** Up to `limit` dead letters of a partition, the oldest first unless told so, `skip` passed over. */
  async list(
    partition: number,
    skip: number,
    limit: number,
    order: "oldest" | "newest" = "oldest",
  ): Promise<DeadLetter[]> {
    const { client } = this.#connection;
    const key = this.#keys.deadLetters(partition);
    const [from, to] = [String(skip), String(skip + limit - 1)];
    const flat = await (order === "oldest"
      ? client.zrange(key, from, to, "WITHSCORES")
      : client.zrange(key, from, to, "REV", "WITHSCORES"));
    const ids = flat.filter((_, at) => at % 2 === 0);
    return Promise.all(ids.map((id, nth) => this.#read(partition, id, new Date(Number(flat[2 * nth + 1])))));
  }

  /** The ids of up to `limit` dead letters of a partition, the oldest first. */
  async oldestIds(partition: number, limit: number): Promise<string[]> {
    const { client } = this.#connection;
    return client.zrange(this.#keys.deadLetters(partition), "0", String(limit - 1));
  }

  /** How many dead letters a partition has. */
  async count(partition: number): Promise<number> {
    return this.#connection.client.zcard(this.#keys.deadLetters(partition));
  }

  /** Whether there is a dead letter of that id. */
  async exists(id: string): Promise<boolean> {
    return (await this.#diedAt(id)) !== null;
  }

  /** The dead letter of that id; nothing where there is none, also for what is no id. */
  async find(id: string): Promise<DeadLetter | undefined> {
    const [diedAt, partition] = [await this.#diedAt(id), this.#partitionOf(id)];
    if (diedAt === null || partition === undefined) return undefined;
    return this.#read(partition, id, new Date(Number(diedAt)));
  }

  /**
   * Puts another text in the place of the refused one and lists the record for the next flush. It keeps its
   * number and its operation id. "changed" where it is no longer what was seen, or no dead letter.
   */
  async replace(id: string, seenRevision: string, text: string | null): Promise<ReviseReply["kind"]> {
    const reference = recordOf(id);
    if (!reference || isSetAside(id)) return "changed";
    const { token, chatNumber, number } = reference;
    const place = chatNumber === undefined ? { token, number } : { token, chatNumber, number };
    const seen = await this.#reads.find(place);
    if (seen.kind === "gone") return "gone";
    const isSeen = seen.kind === reference.origin && revisionOf(seen.record) === seenRevision;
    if (!isSeen || !(await this.exists(id))) return "changed";
    const updatedAtMs = Math.max(Date.now(), seen.record.updatedAtMs + 1);
    const record = { ...seen.record, revision: nanoid(revisionLength), updatedAtMs, text };
    return (await this.#revising.revise(place, seen, record)).kind;
  }

  /** Lists a dead letter for the next flush. Whether there was such a one that can be tried again. */
  async requeue(id: string): Promise<boolean> {
    return isSetAside(id) ? false : (await this.#bury(id, "requeue")) === "done";
  }

  /** Throws a dead letter away; its number stays given. Whether there was such a one. */
  async discard(id: string): Promise<boolean> {
    const reference = recordOf(id);
    if (!reference || isSetAside(id) || reference.origin !== "dead")
      return (await this.#bury(id, "discard")) === "done";
    for (;;) {
      const payload = await this.#payloadOf(reference);
      const args = payload === null ? [] : [stampOf(payload), discarded(payload)];
      const reply = await this.#bury(id, "discard", args);
      // Somebody has changed it since it was read.
      if (reply !== "changed") return reply === "done";
    }
  }

  async #payloadOf(reference: Reference): Promise<string | null> {
    const { client } = this.#connection;
    return client.hget(this.#keys.home(reference), String(reference.number));
  }

  /** Drops a dead letter whose record has landed since: readers see the row. Whether it was still one. */
  async drop(id: string): Promise<boolean> {
    return isSetAside(id) ? false : (await this.#bury(id, "drop")) === "done";
  }

  /**
   * Throws away all dead letters beneath a deleted application, and marks their chats deleted as it is: their counters
   * would not go by themselves.
   */
  async forgetBeneath(token: string, forSeconds: number): Promise<void> {
    const partition = this.#keys.partitionOf(token);
    const [letters, reasons, setAside] = [
      this.#keys.deadLetters(partition),
      this.#keys.deadReasons(partition),
      this.#keys.setAside(partition),
    ];
    const { client } = this.#connection;
    let cursor = "0";
    do {
      const [next, found] = await client.zscan(letters, cursor, "MATCH", `${token}:*`);
      const ids = found.filter((_, at) => at % 2 === 0);
      const chats = new Set(ids.flatMap((id) => recordOf(id)?.chatNumber ?? []));
      for (const chatNumber of chats) await this.#revising.markDeleted({ token, chatNumber }, forSeconds);
      // The letters last: they tell of the chats.
      if (ids.length > 0)
        await client
          .multi()
          .hdel(reasons, ...ids)
          .hdel(setAside, ...ids)
          .zrem(letters, ...ids)
          .exec();
      cursor = next;
    } while (cursor !== "0");
  }

  /** The partition of a dead letter; nothing for what is no id of one. */
  #partitionOf(id: string): number | undefined {
    const reference = recordOf(id);
    if (!reference) return partitionOfStray(id);
    return reference.origin === "pending" ? undefined : this.#keys.partitionOf(reference.token);
  }

  async #diedAt(id: string): Promise<string | null> {
    const partition = this.#partitionOf(id);
    if (partition === undefined || partition >= this.#keys.partitions) return null;
    const { client } = this.#connection;
    return client.zscore(this.#keys.deadLetters(partition), id);
  }

  async #read(partition: number, id: string, diedAt: Date): Promise<DeadLetter> {
    const { client } = this.#connection;
    const reference = recordOf(id);
    const [reason, payload] = await Promise.all([
      client.hget(this.#keys.deadReasons(partition), id),
      isSetAside(id) || !reference
        ? client.hget(this.#keys.setAside(partition), id)
        : client.hget(this.#keys.home(reference), String(reference.number)),
    ]);
    const record = payload === null ? undefined : readRecord(payload);
    const letter = { ...placeOf(reference), id, reason: reason ?? "", diedAt, record };
    return payload === null || record ? letter : { ...letter, unreadable: payload };
  }

  async #bury(
    id: string,
    decision: "requeue" | "discard" | "drop",
    more: readonly string[] = [],
  ): Promise<(typeof buryReplies)[number]> {
    const reference = recordOf(id);
    const partition = reference ? this.#keys.partitionOf(reference.token) : partitionOfStray(id);
    if (partition === undefined) return "missing";
    const keys = [
      this.#keys.meta(partition),
      this.#keys.deadLetters(partition),
      this.#keys.deadReasons(partition),
      this.#keys.setAside(partition),
    ];
    if (reference) {
      const { token, chatNumber, number } = reference;
      keys.push(this.#keys.list(partition, chatNumber === undefined ? "chats" : "messages"));
      keys.push(...this.#keys.beneath(reference));
      if (chatNumber === undefined) {
        keys.push(...this.#keys.beneath({ token, chatNumber: number }));
      }
    }
    const wake = this.#keys.wakeChannel(partition);
    const args = [id, decision, reference?.number ?? 0, wake, reference?.origin ?? "", idleCounterSeconds];
    const reply = await this.#scripts.run("bury", keys, [...args, ...more]);
    return buryReplies[Number(reply)] ?? "missing";
  }
}

/** The id of one that no reader sees ends with its operation id, as several may claim one number. */
const setAsidePattern = /^(.*:[dr]):([\w-]{16}|unreadable)$/;

/** Whether no reader sees it, as its number is another record's or it cannot be read: it can only be discarded. */
export function isSetAside(id: string): boolean {
  return setAsidePattern.test(id) || partitionOfStray(id) !== undefined;
}

/** The record an id names; nothing where it is no record, or no id. */
export function recordOf(id: string): Reference | undefined {
  return parseReference(id.replace(setAsidePattern, "$1"));
}

/** What bury.lua answers, by its number. */
const buryReplies = ["missing", "done", "changed"] as const;

/** What stands for a record that is thrown away, also for one that only another version can read. */
function discarded(payload: string): string {
  return encodeRecord(tombstone(operationIdIn(payload), Date.now(), "discarded"));
}

function placeOf(reference: Reference | undefined): Partial<Place> {
  if (!reference) return {};
  const { token, chatNumber, number } = reference;
  return chatNumber === undefined ? { token, number } : { token, chatNumber, number };
}

/** Differs whenever the record does; names what an operator saw, in whichever form it is kept. */
export function revisionOf({ operationId, revision }: PendingRecord): string {
  return `${operationId}|${revision}`;
}
