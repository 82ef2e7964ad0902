import { isTombstone, stampOf } from "../../records/payload.ts";
import type { Connection } from "../connections.ts";
import type { Keys } from "../keys.ts";
import type { Parent } from "../references.ts";
import { type HomeName, homeNames } from "./homes.ts";
import type { CounterFacts, ParentFacts, RecordFacts } from "./parent-facts.ts";

/** Fields of a hash that are asked for at a time; it may be several times that. */
const scannedAtOnce = 500;
/** A parent that changed while it was read is read again, so often. */
const attempts = 3;

type PerHome<T> = Record<HomeName, T>;

/** What is read before and after all else: the same twice, and nothing changed in between. */
interface Frame {
  readonly counter: CounterFacts | undefined;
  readonly epoch: string | undefined;
  readonly counts: PerHome<number>;
  readonly expiring: readonly string[];
}

/** Parents' counters and records, read without holding up Redis: large hashes are read part by part. */
export class ParentReader {
  readonly #connection: Connection;
  readonly #keys: Keys;

  constructor(connection: Connection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /**
   * What lies beneath a parent; `onRecord` is told of each record, and several times of one where it is read again.
   * Nothing where it never was still.
   *
   * @throws Redis' WRONGTYPE where one of the keys is something else
   */
  async read(parent: Parent, onRecord: (record: RecordFacts) => void): Promise<ParentFacts | undefined> {
    let before = await this.#frame(parent);
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const seen = await this.#records(parent, before.counts, onRecord);
      const after = seen.isEmpty ? before : await this.#frame(parent);
      const isStill =
        isSame(before, after) && homeNames.every((home) => seen.counts[home] === after.counts[home]);
      if (isStill) return { partition: this.#keys.partitionOf(parent.token), parent, ...after, ...seen };
      before = after;
    }
    return undefined;
  }

  /** What a parent's counter says; nothing where there is none. */
  async counter(parent: Parent): Promise<CounterFacts | undefined> {
    const { client } = this.#connection;
    const key = this.#keys.counter(parent);
    const [fields, ttl] = await Promise.all([
      client.hmget(key, "epoch", "last", "written", "bytes", "deleted"),
      client.pttl(key),
    ]);
    return ttl === -2 ? undefined : counterFacts(fields, ttl);
  }

  async #frame(parent: Parent): Promise<Frame> {
    const { client } = this.#connection;
    const [epoch, counter, homes] = await Promise.all([
      client.hget(this.#keys.meta(this.#keys.partitionOf(parent.token)), "epoch"),
      this.counter(parent),
      Promise.all(
        homeNames.map((home) => {
          const key = this.#keys[home](parent);
          return Promise.all([client.hlen(key), client.pttl(key)]);
        }),
      ),
    ]);
    const expiring = homeNames.filter((_, at) => (homes[at]?.[1] ?? -1) >= 0);
    return {
      counter,
      epoch: epoch ?? undefined,
      counts: perHome((_, at) => homes[at]?.[0] ?? 0),
      expiring: expiring.map((home) => this.#keys[home](parent)),
    };
  }

  /** The smaller homes first and whole, as what lies in several of them is compared. */
  async #records(parent: Parent, counts: PerHome<number>, onRecord: (record: RecordFacts) => void) {
    const collected = new Collected();
    for (const home of ["dead", "revisions", "pending"] as const) {
      if (counts[home] === 0) continue;
      for await (const fields of this.#scan(this.#keys[home](parent))) {
        for (const [number, payload] of fields) onRecord(collected.add(home, number, payload));
      }
    }
    const { bytes, lowest, highest } = collected;
    const isEmpty = homeNames.every((home) => counts[home] === 0);
    return { isEmpty, bytes, lowest, highest, counts: collected.counts, oddities: collected.oddities() };
  }

  /** The fields of a hash in parts. One that is in it all the while comes at least once. */
  async *#scan(key: string): AsyncGenerator<[number: number, payload: string][]> {
    for (let cursor = "", next = "0"; cursor !== "0"; cursor = next) {
      const [after, flat] = await this.#connection.client.hscan(key, next, "COUNT", scannedAtOnce);
      next = after;
      yield flat.flatMap((field, at) => (at % 2 === 0 ? [[Number(field), flat[at + 1] ?? ""]] : []));
    }
  }
}

/** What was found of a parent's records so far. */
class Collected {
  readonly counts = perHome(() => 0);
  bytes = 0;
  lowest: number | undefined;
  highest: number | undefined;
  /** Of those that lie elsewhere than among the pending, which are few. */
  readonly #others = new Map<number, { home: HomeName; tombstone: string | undefined }>();
  readonly #twoHomes = new Set<number>();
  readonly #halfDeleted = new Set<number>();

  add(home: HomeName, number: number, payload: string): RecordFacts {
    this.counts[home] += 1;
    this.bytes += Buffer.byteLength(payload);
    const tombstone = isTombstone(payload) ? payload : undefined;
    if (home === "pending") this.#addPending(number, tombstone);
    else this.#addOther(home, number, tombstone);
    return { number, home, stamp: stampOf(payload) };
  }

  oddities() {
    return [
      ...[...this.#twoHomes].map((number) => ({ kind: "two-homes", number }) as const),
      ...[...this.#halfDeleted].map((number) => ({ kind: "half-deleted", number }) as const),
    ];
  }

  #addOther(home: HomeName, number: number, tombstone: string | undefined): void {
    const other = this.#others.get(number);
    // The same field may come twice.
    if (other && other.home !== home) this.#twoHomes.add(number);
    else this.#others.set(number, { home, tombstone });
  }

  /** A new record that was deleted has its tombstone among the revisions as well, and no other has anything there. */
  #addPending(number: number, tombstone: string | undefined): void {
    this.lowest = Math.min(this.lowest ?? number, number);
    this.highest = Math.max(this.highest ?? number, number);
    const other = this.#others.get(number);
    const isTwin = other?.home === "revisions" && other.tombstone === tombstone;
    if (tombstone !== undefined && !other) this.#halfDeleted.add(number);
    else if (other && !(tombstone !== undefined && isTwin)) this.#twoHomes.add(number);
  }
}

function perHome<T>(valueOf: (home: HomeName, at: number) => T): PerHome<T> {
  const [pending, revisions, dead] = homeNames.map(valueOf) as [T, T, T];
  return { pending, revisions, dead };
}

function counterFacts(fields: readonly (string | null)[], ttl: number): CounterFacts {
  const [epoch, last, written, bytes, deleted] = fields;
  const number = (field: string | null | undefined) => (field ? Number(field) : undefined);
  return {
    epoch: epoch ?? undefined,
    last: number(last),
    written: number(written),
    bytes: Number(bytes ?? 0),
    isDeleted: (deleted ?? null) !== null,
    expires: ttl >= 0,
  };
}

function isSame(one: Frame, other: Frame): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
