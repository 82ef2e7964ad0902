import { isOfNewerVersion, readRecord } from "../records.ts";
import type { Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";
import { type ListName, parseReference } from "./references.ts";

const lists: readonly ListName[] = ["chats", "messages"];

/** Looks at the records that are flushed next, those at the heads of the pending lists. */
export class PendingHeads {
  readonly #connection: Connection;
  readonly #keys: Keys;

  constructor(connection: Connection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** When the oldest pending record was accepted, Unix milliseconds; nothing when none is pending. */
  async oldestAcceptedAtMs(partition: number): Promise<number | undefined> {
    const heads = await this.#read(partition);
    const known = heads.map((payload) => readRecord(payload)?.updatedAtMs).filter((at) => at !== undefined);
    return known.length > 0 ? Math.min(...known) : undefined;
  }

  /** Whether a record that is flushed next is of a later version than this program can read. */
  async areNewer(partition: number): Promise<boolean> {
    return (await this.#read(partition)).some(isOfNewerVersion);
  }

  async #read(partition: number): Promise<string[]> {
    const payloads = await Promise.all(lists.map((list) => this.#head(this.#keys.list(partition, list))));
    return payloads.filter((payload) => payload !== null);
  }

  async #head(list: string): Promise<string | null> {
    const { client } = this.#connection;
    const reference = parseReference((await this.#connection.settled(client.lindex(list, 0))) ?? "");
    if (!reference) return null;
    return this.#connection.settled(client.hget(this.#keys.home(reference), String(reference.number)));
  }
}
