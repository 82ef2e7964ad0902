import type { Socket } from "node:net";

import type { ChainableCommander, Redis, RedisOptions } from "ioredis";

import { BufferUnavailableError, type Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";
import { SnapshotError } from "./rdb/cursor.ts";
import { readSnapshot, SnapshotRefusedError } from "./rdb/replica-stream.ts";
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
/** After so long what was tried out is gone, should its process die in between. */
const trialMs = 600_000;

/** Takes snapshots of Redis, and puts what is this installation's back into it. */
export class Snapshots {
  readonly #connection: Connection;
  readonly #keys: Keys;

  constructor(connection: Connection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /**
   * The bytes of a snapshot of the whole Redis as it is now; Redis serves meanwhile. Of a cluster there is a
   * snapshot of each master, one after the other: what belongs together lies on one of them.
   *
   * @throws {SnapshotRefusedError} where Redis refuses, fails, or breaks off, or where a part of a cluster is away
   * or is served by another master in the end
   */
  *take(signal: AbortSignal): Generator<AsyncGenerator<Buffer>> {
    const { layout } = this.#connection;
    for (const master of this.#connection.masters()) yield readSnapshot(optionsOf(master), signal);
    if (this.#connection.layout !== layout) {
      throw new SnapshotRefusedError("a part of the cluster went to another master meanwhile");
    }
  }

  /**
   * What the files of a snapshot hold; all of it was read when this resolves.
   *
   * @throws {SnapshotError} where it is damaged, or was made under another number of partitions
   */
  async inspect(...files: readonly SnapshotFile[]): Promise<SnapshotContents> {
    let [ownKeys, otherKeys] = [0, 0];
    for await (const { entry } of entriesOf(files)) {
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
   * @throws {SnapshotError} where the snapshot is damaged, or Redis does not take it: where it refuses a value of some
   * form, nothing was changed
   * @throws {BufferUnavailableError} while Redis is away; it can then be repeated
   */
  async load(files: readonly SnapshotFile[], onKeys: (count: number) => void): Promise<void> {
    await this.#tryOut(files);
    await this.#clear();
    const metas: [partition: number, meta: Located][] = [];
    const batch = new Batch(this.#connection);
    for await (const located of entriesOf(files)) {
      const { entry } = located;
      onKeys(1);
      if (!this.#isOwn(entry) || (entry.expiresAtMs ?? Infinity) <= Date.now()) continue;
      const { name, isOfThePresent, partition } = this.#keys.parse(entry.key.toString()) ?? {};
      if (isOfThePresent || partition === undefined) continue;
      if (name === "meta") metas.push([partition, located]);
      else await put(batch, partition, located);
    }
    await batch.send();
    for (const [partition, meta] of metas) await put(batch, partition, meta);
    await batch.send();
  }

  /** Puts the smallest value of each form where nobody looks: a Redis may not know it, or its user have no right to. */
  async #tryOut(files: readonly SnapshotFile[]): Promise<void> {
    const samples = new Map<number, Located>();
    for await (const located of entriesOf(files)) {
      const { type, length } = located.entry;
      if (length < (samples.get(type)?.entry.length ?? Infinity) && this.#isOwn(located.entry))
        samples.set(type, located);
    }
    const key = Buffer.from(this.#keys.trialOfRestore());
    const batch = new Batch(this.#connection);
    for (const { file, entry } of samples.values()) {
      const expiresAtMs = Date.now() + trialMs;
      await put(batch, 0, { file, entry: { ...entry, key, expiresAtMs } });
      await batch.add(0, 0, (pipeline) => pipeline.unlink(key));
    }
    await batch.send();
  }

  /** Removes what a load replaces. */
  async #clear(): Promise<void> {
    const { client } = this.#connection;
    // First, so that whoever looks from now on knows that data is missing.
    for (let partition = 0; partition < this.#keys.partitions; partition += 1) {
      await client.unlink(this.#keys.meta(partition));
    }
    for (const master of this.#connection.masters()) await this.#clearServer(master);
  }

  async #clearServer(server: Redis): Promise<void> {
    let cursor = "0";
    do {
      const [next, found] = await server.scan(cursor, "MATCH", this.#keys.pattern(), "COUNT", scannedAtOnce);
      // One by one: in a cluster no command takes keys of several partitions.
      const pipeline = server.pipeline();
      for (const key of found) {
        if (this.#keys.parse(key)?.isOfThePresent === false) pipeline.unlink(key);
      }
      for (const [error] of (await pipeline.exec()) ?? []) {
        if (error) throw new BufferUnavailableError(error);
      }
      cursor = next;
    } while (cursor !== "0");
  }

  #isOwn({ database, key }: SnapshotEntry): boolean {
    if (database !== this.#connection.database) return false;
    const parsed = this.#keys.parse(key.toString());
    if (!parsed) return false;
    if (!parsed.isAtHome) {
      throw new SnapshotError("the snapshot was made under another number of PARTITIONS");
    }
    return true;
  }
}

/** How to connect to a server; where sentinels say who it is, to the one that they named. */
function optionsOf({ options, stream }: Redis): RedisOptions {
  const { remoteAddress: host, remotePort: port } = stream as Partial<Socket>;
  return options.sentinels && host !== undefined && port !== undefined ? { ...options, host, port } : options;
}

/** An entry, and the file that its value lies in. */
interface Located {
  readonly file: SnapshotFile;
  readonly entry: SnapshotEntry;
}

async function* entriesOf(files: readonly SnapshotFile[]): AsyncGenerator<Located> {
  for (const file of files) {
    for await (const entry of file.entries()) yield { file, entry };
  }
}

async function put(batch: Batch, partition: number, { file, entry }: Located): Promise<void> {
  const { key, expiresAtMs = 0 } = entry;
  if (entry.type !== plainHash) {
    const value = file.dumped(entry);
    await batch.add(partition, value.length, (pipeline) =>
      pipeline.restore(key, expiresAtMs, value, "REPLACE", "ABSTTL"),
    );
    return;
  }
  // A parent's pending records may be more than Redis takes as one value.
  let [pairs, bytes] = [[] as Buffer[], 0];
  const send = async () => {
    const sent = pairs;
    if (sent.length > 0) await batch.add(partition, bytes, (pipeline) => pipeline.hset(key, ...sent));
    [pairs, bytes] = [[], 0];
  };
  for (const [field, value] of file.fields(entry)) {
    pairs.push(field, value);
    bytes += field.length + value.length;
    if (pairs.length >= 2 * fieldsAtOnce || bytes >= bytesAtOnce) await send();
  }
  await send();
  if (expiresAtMs > 0) await batch.add(partition, 0, (pipeline) => pipeline.pexpireat(key, expiresAtMs));
}

/**
 * Commands on their way: some at a time, so that neither side holds the whole snapshot in memory. Those of each
 * partition go together, as in a cluster another may lie elsewhere.
 */
class Batch {
  readonly #connection: Connection;
  readonly #pipelines = new Map<number, ChainableCommander>();
  #commands = 0;
  #bytes = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async add(
    partition: number,
    bytes: number,
    command: (pipeline: ChainableCommander) => unknown,
  ): Promise<void> {
    const pipeline = this.#pipelines.get(partition) ?? this.#connection.client.pipeline();
    this.#pipelines.set(partition, pipeline);
    command(pipeline);
    this.#commands += 1;
    this.#bytes += bytes;
    if (this.#commands >= commandsAtOnce || this.#bytes >= bytesAtOnce) await this.send();
  }

  /** Resolves when all that was added is done. @throws the first refusal */
  async send(): Promise<void> {
    const sent = [...this.#pipelines.values()].map((pipeline) => pipeline.exec());
    this.#pipelines.clear();
    [this.#commands, this.#bytes] = [0, 0];
    const answers = await Promise.all(sent);
    for (const [error] of answers.flatMap((some) => some ?? [])) {
      if (error) throw new SnapshotError(`Redis does not take a part of the snapshot: ${error.message}`);
    }
  }
}
