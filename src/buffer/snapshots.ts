import { type ChainableCommander, Redis } from "ioredis";

import type { Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";
import { SnapshotError } from "./rdb/cursor.ts";
import { readSnapshot } from "./rdb/replica-stream.ts";
import { type SnapshotEntry, type SnapshotFile } from "./rdb/snapshot-file.ts";
import { plainHash } from "./rdb/values.ts";

/** How many keys a snapshot holds: of this installation, and of whoever shares its Redis. */
export interface SnapshotContents {
  readonly ownKeys: number;
  readonly otherKeys: number;
}

/** Commands sent together; their answers are awaited before the next are sent. */
const commandsAtOnce = 500;
const bytesAtOnce = 8 * 1024 * 1024;
const fieldsAtOnce = 1000;
const scannedAtOnce = 1000;

/** Takes snapshots of Redis, and puts what is this installation's back into it. */
export class Snapshots {
  readonly #connection: Connection;
  readonly #keys: Keys;
  readonly #options: Redis["options"];

  constructor(connection: Connection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
    this.#options = connection.client.options;
  }

  /**
   * The bytes of a snapshot of the whole Redis as it is now; Redis serves meanwhile.
   *
   * @throws {SnapshotRefusedError} where Redis refuses, fails, or breaks off
   */
  take(signal: AbortSignal): AsyncGenerator<Buffer> {
    return readSnapshot(this.#options, signal);
  }

  /**
   * What a snapshot holds; all of it was read when this resolves.
   *
   * @throws {SnapshotError} where it is damaged, or was made under another number of partitions
   */
  async inspect(snapshot: SnapshotFile): Promise<SnapshotContents> {
    let [ownKeys, otherKeys] = [0, 0];
    for await (const entry of snapshot.entries()) {
      if (this.#isOwn(entry)) ownKeys += 1;
      else otherKeys += 1;
    }
    return { ownKeys, otherKeys };
  }

  /**
   * Replaces all that this installation keeps in Redis by what a snapshot holds of it; nothing else is touched.
   * What tells of the present stays: which processes run, and what became of jobs. Until the last moment
   * the partitions have no epoch, so that a Redis which was loaded in part is known to have lost data.
   *
   * @throws {SnapshotError} where the snapshot is damaged
   * @throws {BufferUnavailableError} while Redis is away; it can then be repeated
   */
  async load(snapshot: SnapshotFile, onKeys: (count: number) => void): Promise<void> {
    await this.#clear();
    const metas: SnapshotEntry[] = [];
    const batch = new Batch(this.#connection);
    for await (const entry of snapshot.entries()) {
      onKeys(1);
      if (!this.#isOwn(entry) || (entry.expiresAtMs ?? Infinity) <= Date.now()) continue;
      const { name, isOfThePresent } = this.#keys.parse(entry.key.toString()) ?? {};
      if (isOfThePresent) continue;
      if (name === "meta") metas.push(entry);
      else await put(batch, snapshot, entry);
    }
    await batch.send();
    for (const meta of metas) await put(batch, snapshot, meta);
    await batch.send();
  }

  /** Removes what a load replaces. */
  async #clear(): Promise<void> {
    const { client } = this.#connection;
    // First, so that whoever looks from now on knows that data is missing.
    const metas = Array.from({ length: this.#keys.partitions }, (_, partition) => this.#keys.meta(partition));
    await this.#connection.settled(client.unlink(...metas));
    let cursor = "0";
    do {
      const [next, found] = await this.#connection.settled(
        client.scan(cursor, "MATCH", this.#keys.pattern(), "COUNT", scannedAtOnce),
      );
      const gone = found.filter((key) => this.#keys.parse(key)?.isOfThePresent === false);
      if (gone.length > 0) await this.#connection.settled(client.unlink(...gone));
      cursor = next;
    } while (cursor !== "0");
  }

  #isOwn({ database, key }: SnapshotEntry): boolean {
    if (database !== (this.#options.db ?? 0)) return false;
    const parsed = this.#keys.parse(key.toString());
    if (!parsed) return false;
    if (!parsed.isAtHome) {
      throw new SnapshotError("the snapshot was made under another number of PARTITIONS");
    }
    return true;
  }
}

async function put(batch: Batch, snapshot: SnapshotFile, entry: SnapshotEntry): Promise<void> {
  const { key, expiresAtMs = 0 } = entry;
  if (entry.type !== plainHash) {
    const value = snapshot.dumped(entry);
    await batch.add(value.length, (pipeline) =>
      pipeline.restore(key, expiresAtMs, value, "REPLACE", "ABSTTL"),
    );
    return;
  }
  // A parent's pending records may be more than Redis takes as one value.
  let [pairs, bytes] = [[] as Buffer[], 0];
  const send = async () => {
    const sent = pairs;
    if (sent.length > 0) await batch.add(bytes, (pipeline) => pipeline.hset(key, ...sent));
    [pairs, bytes] = [[], 0];
  };
  for (const [field, value] of snapshot.fields(entry)) {
    pairs.push(field, value);
    bytes += field.length + value.length;
    if (pairs.length >= 2 * fieldsAtOnce || bytes >= bytesAtOnce) await send();
  }
  await send();
  if (expiresAtMs > 0) await batch.add(0, (pipeline) => pipeline.pexpireat(key, expiresAtMs));
}

/** Commands on their way: some at a time, so that neither side holds the whole snapshot in memory. */
class Batch {
  readonly #connection: Connection;
  #pipeline: ChainableCommander;
  #bytes = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#pipeline = connection.client.pipeline();
  }

  async add(bytes: number, command: (pipeline: ChainableCommander) => unknown): Promise<void> {
    command(this.#pipeline);
    this.#bytes += bytes;
    if (this.#pipeline.length >= commandsAtOnce || this.#bytes >= bytesAtOnce) await this.send();
  }

  /** Resolves when all that was added is done. @throws the first refusal */
  async send(): Promise<void> {
    const answers = await this.#connection.settled(this.#pipeline.exec());
    this.#pipeline = this.#connection.client.pipeline();
    this.#bytes = 0;
    for (const [error] of answers ?? []) {
      if (error) throw new SnapshotError(`Redis does not take a part of the snapshot: ${error.message}`);
    }
  }
}
