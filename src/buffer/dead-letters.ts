import { type PendingRecord, readRecord } from "../records.ts";
import { partitionOfStray } from "./acknowledgement.ts";
import type { Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";
import { parseReference, type Place, type Reference } from "./references.ts";
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

/** Lists dead letters, and does with them what a person decides. Nothing happens to one by itself. */
export class DeadLetters {
  readonly #connection: Connection;
  readonly #scripts: Scripts;
  readonly #keys: Keys;

  constructor(connection: Connection, scripts: Scripts, keys: Keys) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#keys = keys;
  }

  /** Up to `limit` dead letters of a partition, the oldest first, `skip` passed over. */
  async list(partition: number, skip: number, limit: number): Promise<DeadLetter[]> {
    const { client } = this.#connection;
    const flat = await this.#connection.settled(
      client.zrange(this.#keys.deadLetters(partition), String(skip), String(skip + limit - 1), "WITHSCORES"),
    );
    const ids = flat.filter((_, at) => at % 2 === 0);
    return Promise.all(ids.map((id, nth) => this.#read(partition, id, new Date(Number(flat[2 * nth + 1])))));
  }

  /** Lists a dead letter for the next flush. Whether there was such a one that can be tried again. */
  async requeue(id: string): Promise<boolean> {
    return isSetAside(id) ? false : this.#bury(id, "requeue");
  }

  /** Throws a dead letter away; its number stays given. Whether there was such a one. */
  async discard(id: string): Promise<boolean> {
    return this.#bury(id, "discard");
  }

  async #read(partition: number, id: string, diedAt: Date): Promise<DeadLetter> {
    const { client } = this.#connection;
    const reference = recordOf(id);
    const [reason, payload] = await this.#connection.settled(
      Promise.all([
        client.hget(this.#keys.deadReasons(partition), id),
        isSetAside(id) || !reference
          ? client.hget(this.#keys.setAside(partition), id)
          : client.hget(this.#keys.home(reference), String(reference.number)),
      ]),
    );
    const record = payload === null ? undefined : readRecord(payload);
    const letter = { ...placeOf(reference), id, reason: reason ?? "", diedAt, record };
    return payload === null || record ? letter : { ...letter, unreadable: payload };
  }

  async #bury(id: string, decision: "requeue" | "discard"): Promise<boolean> {
    const reference = recordOf(id);
    const partition = reference ? this.#keys.partitionOf(reference.token) : partitionOfStray(id);
    if (partition === undefined) return false;
    const keys = [
      this.#keys.meta(partition),
      this.#keys.deadLetters(partition),
      this.#keys.deadReasons(partition),
      this.#keys.setAside(partition),
    ];
    if (reference) {
      keys.push(this.#keys.list(partition, reference.chatNumber === undefined ? "chats" : "messages"));
      keys.push(this.#keys.dead(reference), this.#keys.counter(reference));
    }
    const args = [id, decision, reference?.number ?? 0, this.#keys.wakeChannel(partition)];
    return (await this.#scripts.run("bury", keys, args)) === 1;
  }
}

/** The id of one that no reader sees ends with its operation id, as several may claim one number. */
const setAsidePattern = /^(.*:dr?):([\w-]{16}|unreadable)$/;

function isSetAside(id: string): boolean {
  return setAsidePattern.test(id) || partitionOfStray(id) !== undefined;
}

/** The record an id names; nothing where it is no record, or no id. */
function recordOf(id: string): Reference | undefined {
  return parseReference(id.replace(setAsidePattern, "$1"));
}

function placeOf(reference: Reference | undefined): Partial<Place> {
  if (!reference) return {};
  const { token, chatNumber, number } = reference;
  return chatNumber === undefined ? { token, number } : { token, chatNumber, number };
}
