import { decodeRecord, type PendingRecord } from "../records.ts";
import type { Connection } from "./connections.ts";
import type { Keys, Place } from "./keys.ts";
import { parseReference } from "./keys.ts";
import type { Scripts } from "./scripts.ts";

/** A record that MySQL refused for its content, or whose number another record holds. */
export interface DeadLetter extends Place {
  /** Names it in commands. */
  readonly id: string;
  readonly reason: string;
  readonly diedAt: Date;
  /** Absent where what it belonged to was deleted since. */
  readonly record: PendingRecord | undefined;
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

  /** Lists a dead letter for the next flush. Whether there was such a one; a conflict cannot be tried again. */
  async requeue(id: string): Promise<boolean> {
    return isConflict(id) ? false : this.#bury(id, "requeue");
  }

  /** Throws a dead letter away; its number stays given. Whether there was such a one. */
  async discard(id: string): Promise<boolean> {
    return this.#bury(id, "discard");
  }

  async #read(partition: number, id: string, diedAt: Date): Promise<DeadLetter> {
    const { client } = this.#connection;
    const reference = parseReference(withoutOperation(id));
    const { token, chatNumber, number } = reference;
    const [reason, payload] = await this.#connection.settled(
      Promise.all([
        client.hget(this.#keys.deadReasons(partition), id),
        isConflict(id)
          ? client.hget(this.#keys.conflicts(partition), id)
          : client.hget(this.#keys.home(reference), String(number)),
      ]),
    );
    const place = chatNumber === undefined ? { token, number } : { token, chatNumber, number };
    const record = payload === null ? undefined : decodeRecord(payload);
    return { ...place, id, reason: reason ?? "", diedAt, record };
  }

  async #bury(id: string, decision: "requeue" | "discard"): Promise<boolean> {
    const reference = parseReference(withoutOperation(id));
    const partition = this.#keys.partitionOf(reference.token);
    const keys = [
      this.#keys.meta(partition),
      this.#keys.deadLetters(partition),
      this.#keys.deadReasons(partition),
      this.#keys.conflicts(partition),
      this.#keys.list(partition, reference.chatNumber === undefined ? "chats" : "messages"),
      this.#keys.dead(reference),
      this.#keys.counter(reference),
    ];
    const args = [id, decision, reference.number, this.#keys.wakeChannel(partition)];
    return (await this.#scripts.run("bury", keys, args)) === 1;
  }
}

/** A conflict's id ends with its operation id, as several may claim one number. */
const conflictPattern = /^(.*:dr?):([\w-]{16})$/;

function isConflict(id: string): boolean {
  return conflictPattern.test(id);
}

function withoutOperation(id: string): string {
  return id.replace(conflictPattern, "$1");
}
