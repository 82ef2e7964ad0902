import { isOfOtherVersion, readRecord } from "../records/payload.ts";
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

  /** When a list's first record was accepted, Unix milliseconds; nothing when the list is empty. */
  async acceptedAtMs(partition: number, list: ListName): Promise<number | undefined> {
    const payload = await this.#head(this.#keys.list(partition, list));
    return payload === null ? undefined : readRecord(payload)?.updatedAtMs;
  }

  /** Whether a record that is flushed next is of a version that this program cannot read. */
  async areOfOtherVersion(partition: number): Promise<boolean> {
    const payloads = await Promise.all(lists.map((list) => this.#head(this.#keys.list(partition, list))));
    return payloads.some((payload) => payload !== null && isOfOtherVersion(payload));
  }

  async #head(list: string): Promise<string | null> {
    const { client } = this.#connection;
    const reference = parseReference((await client.lindex(list, 0)) ?? "");
    if (!reference) return null;
    return client.hget(this.#keys.home(reference), String(reference.number));
  }
}
