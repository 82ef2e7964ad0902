import type { Redis } from "ioredis";

import type { Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";
import { keyOf } from "./operator-keys.ts";

/** What the partitions had in common, or the greatest of it, before their number changes. */
export interface Baseline {
  readonly epoch: string;
  readonly flushSequence: number;
  readonly losses: number;
}

interface Place {
  readonly key: string;
  readonly partition: number;
  /** What follows the partition. */
  readonly name: string;
}

const scannedAtOnce = 1000;
/** Of these, the greatest of all partitions holds for all afterwards: sequences go on, and marks are kept. */
const maxima = ["sequence", "losses", "touched", "recount", "behind"] as const;
const ofParents = new Set(["counter", "pending", "revisions", "dead", "owed", "idempotency"]);
const sortedSets = new Set(["dead-letters", "dirty", "owed-chats", "owed-removals"]);
const hashes = new Set(["dead-reasons", "set-aside", "index-refused"]);
const totals = new Set(["meta", "flushed", "indexed"]);

/**
 * Moves what Redis keeps to where it belongs under another number of partitions. Nothing may be pending and nobody
 * at work. Each step can be repeated: what is moved is written at its new place before it leaves the old one.
 */
export class Repartitioning {
  readonly #connection: Connection;
  readonly #keys: Keys;
  readonly #namespace: string;

  /** `keys` are those of the new number. */
  constructor(connection: Connection, keys: Keys, namespace: string) {
    this.#connection = connection;
    this.#keys = keys;
    this.#namespace = namespace;
  }

  /**
   * Notes what the partitions have now, before it is changed, unless that was done for this epoch. A Redis that
   * should know of it and does not has lost its data meanwhile: numbers then resume above a gap. `stored` is what MySQL
   * has, and nothing becomes less than that.
   */
  async begin(
    {
      from,
      epoch,
      isResumed,
    }: { readonly from: number; readonly epoch: string; readonly isResumed: boolean },
    stored: Omit<Baseline, "epoch">,
  ): Promise<Baseline> {
    const noted = await this.#noted();
    if (noted["epoch"] === epoch) return baselineOf(epoch, noted);
    const fields: Record<string, string> = { epoch };
    for (const name of maxima) fields[name] = "0";
    [fields["sequence"], fields["losses"]] = [String(stored.flushSequence), String(stored.losses)];
    for (let partition = 0; partition < from; partition += 1) {
      const meta = await this.#all(this.#keys.meta(partition));
      fields[`epoch:${partition}`] = meta["epoch"] ?? "";
      for (const name of maxima) {
        fields[name] = String(Math.max(Number(fields[name]), Number(meta[name] ?? 0)));
      }
    }
    if (isResumed) {
      fields["losses"] = String(Number(fields["losses"]) + 1);
      fields["recount"] = fields["behind"] = String(Date.now());
    }
    const { client } = this.#connection;
    const key = this.#keys.repartition();
    await client.multi().del(key).hset(key, fields).exec();
    return baselineOf(epoch, fields);
  }

  /** Resolves when every key and every member of one lies in its new partition. */
  async move(onKeys: (count: number) => void): Promise<void> {
    const noted = await this.#noted();
    // A key that moves to a server which is scanned later is met again, and is then where it belongs.
    for (const master of this.#connection.masters()) await this.#moveFrom(master, noted, onKeys);
  }

  async #moveFrom(
    master: Redis,
    noted: Readonly<Record<string, string>>,
    onKeys: (count: number) => void,
  ): Promise<void> {
    for (let cursor = "", next = "0"; cursor !== "0"; cursor = next) {
      const [after, found] = await master.scan(next, "MATCH", this.#keys.pattern(), "COUNT", scannedAtOnce);
      for (const key of found) await this.#moveKey(key, noted);
      onKeys(found.length);
      next = after;
    }
  }

  /** Gives every partition the new epoch, and adds up the totals of those that are no more. */
  async finish(): Promise<void> {
    const { client } = this.#connection;
    const noted = await this.#noted();
    for (let partition = 0; partition < this.#keys.partitions; partition += 1) {
      const fields: Record<string, string> = { epoch: noted["epoch"] ?? "" };
      for (const name of maxima) if (isSet(name, noted[name])) fields[name] = noted[name] ?? "0";
      fields["owed"] = String(await this.#owed(partition));
      fields["bytes"] = String(await this.#deadBytes(partition));
      await client.hset(this.#keys.meta(partition), fields);
    }
    await this.#addTotals(noted);
  }

  /** Forgets what was noted at the beginning. */
  async end(): Promise<void> {
    const { client } = this.#connection;
    await client.del(this.#keys.repartition());
  }

  /** How many keys Redis has, of whomever. */
  async keyCount(): Promise<number> {
    const sizes = this.#connection.masters().map((master) => master.dbsize());
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  }

  async #moveKey(key: string, noted: Readonly<Record<string, string>>): Promise<void> {
    const found = /^\{(\d+)\}:([\w-]+)(?::([\w-]+))?/.exec(key.slice(this.#namespace.length + 1));
    if (!found) return;
    const [partition, kind, token] = [Number(found[1]), found[2] ?? "", found[3]];
    const place = { key, partition, name: key.slice(key.indexOf("}") + 2) };
    if (ofParents.has(kind) && token !== undefined) {
      if (kind === "counter") await this.#renew(place, noted);
      await this.#rename(place, this.#keys.partitionOf(token));
    } else if (sortedSets.has(kind)) await this.#spreadSortedSet(place);
    else if (hashes.has(kind)) await this.#spreadHash(place);
    else if (partition >= this.#keys.partitions) await this.#retire(place, kind);
  }

  /** A counter of the epoch that was is one of the epoch that will be: it is as good as before. */
  async #renew({ key, partition }: Place, noted: Readonly<Record<string, string>>): Promise<void> {
    const { client } = this.#connection;
    const epoch = await client.hget(key, "epoch");
    if (epoch === null || epoch !== noted[`epoch:${partition}`]) return;
    await client.hset(key, "epoch", noted["epoch"] ?? "", "losses", noted["losses"] ?? "0");
  }

  async #rename({ key, partition, name }: Place, home: number): Promise<void> {
    if (home === partition) return;
    const { client } = this.#connection;
    const ttlMs = await client.pttl(key);
    const value = (await client.dumpBuffer(key)) as Uint8Array | null;
    // It has expired meanwhile, or leaves in this moment.
    if (value === null || ttlMs === 0 || ttlMs === -2) return;
    const target = keyOf(this.#namespace, home, name);
    await client.restore(target, Math.max(0, ttlMs), globalThis.Buffer.from(value), "REPLACE");
    await client.unlink(key);
  }

  async #spreadSortedSet({ key, partition, name }: Place): Promise<void> {
    const { client } = this.#connection;
    const flat = await client.zrange(key, "0", "-1", "WITHSCORES");
    for (let at = 0; at < flat.length; at += 2) {
      const [member = "", score = "0"] = [flat[at], flat[at + 1]];
      const { home, renamed } = this.#homeOf(member);
      if (home === partition) continue;
      await client.zadd(keyOf(this.#namespace, home, name), score, renamed);
      await client.zrem(key, member);
    }
  }

  async #spreadHash({ key, partition, name }: Place): Promise<void> {
    const { client } = this.#connection;
    for (const [field, value] of Object.entries(await this.#all(key))) {
      const { home, renamed } = this.#homeOf(field);
      if (home === partition) continue;
      await client.hset(keyOf(this.#namespace, home, name), renamed, value);
      await client.hdel(key, field);
    }
  }

  /** Where a member belongs: with its token, or, where it has none, near where it was. */
  #homeOf(member: string): { home: number; renamed: string } {
    const stray = /^\?(\d+):(.*)$/.exec(member);
    if (!stray) return { home: this.#keys.partitionOf(member.split(":")[0] ?? ""), renamed: member };
    const home = Number(stray[1]) % this.#keys.partitions;
    return { home, renamed: `?${home}:${stray[2] ?? ""}` };
  }

  /** Removes a key of a partition that is no more, its totals noted before. */
  async #retire({ key, partition }: Place, kind: string): Promise<void> {
    const { client } = this.#connection;
    if (totals.has(kind)) {
      const kept = Object.entries(await this.#all(key)).filter(
        ([field]) => kind !== "meta" || field.startsWith("accepted:"),
      );
      const fields = kept.map(([field, value]) => [`total:${partition}:${kind}:${field}`, value]);
      if (fields.length > 0) {
        await client.hset(this.#keys.repartition(), Object.fromEntries(fields) as object);
      }
    }
    await client.unlink(key);
  }

  /** All in one step: a repetition finds none to be added any more. */
  async #addTotals(noted: Readonly<Record<string, string>>): Promise<void> {
    const { client } = this.#connection;
    const transaction = client.multi();
    for (const [name, value] of Object.entries(noted)) {
      const [, kind = "", field = ""] = /^total:\d+:([\w-]+):(.*)$/.exec(name) ?? [];
      if (kind === "") continue;
      transaction.hincrby(keyOf(this.#namespace, 0, kind), field, value);
      transaction.hdel(this.#keys.repartition(), name);
    }
    await transaction.exec();
  }

  async #owed(partition: number): Promise<number> {
    const { client } = this.#connection;
    let owed = 0;
    for (const path of await client.zrange(this.#keys.owedChats(partition), "0", "-1")) {
      owed += await client.zcard(keyOf(this.#namespace, partition, `owed:${path}`));
    }
    return owed;
  }

  /** The bytes of dead letters that are in their parents' hashes; nothing else is in the buffer. */
  async #deadBytes(partition: number): Promise<number> {
    const { client } = this.#connection;
    let bytes = 0;
    for (const id of await client.zrange(this.#keys.deadLetters(partition), "0", "-1")) {
      const [, path, number, mark] = /^(.*):(\d+):([dr])$/.exec(id) ?? [];
      if (path === undefined || number === undefined) continue;
      const home = `${mark === "r" ? "revisions" : "dead"}:${path}`;
      bytes += await client.hstrlen(keyOf(this.#namespace, partition, home), number);
    }
    return bytes;
  }

  async #noted(): Promise<Record<string, string>> {
    return this.#all(this.#keys.repartition());
  }

  async #all(key: string): Promise<Record<string, string>> {
    const { client } = this.#connection;
    return client.hgetall(key);
  }
}

function baselineOf(epoch: string, fields: Readonly<Record<string, string>>): Baseline {
  return { epoch, flushSequence: Number(fields["sequence"]), losses: Number(fields["losses"]) };
}

/** Marks that are not there mean something; numbers that are 0 mean just that. */
function isSet(name: (typeof maxima)[number], value: string | undefined): boolean {
  return value !== undefined && (value !== "0" || (name !== "recount" && name !== "behind"));
}
