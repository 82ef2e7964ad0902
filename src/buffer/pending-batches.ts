import type { ChainableCommander } from "ioredis";

import { decodeRecord, type PendingRecord, stampOf } from "../records.ts";
import { idleCounterSeconds } from "./accepting.ts";
import type { Connection } from "./connections.ts";
import type { Keys, ListName, Place, Reference } from "./keys.ts";
import { markOf, parseReference, referencePrefix } from "./keys.ts";
import type { Lease } from "./leases.ts";
import type { Scripts } from "./scripts.ts";
import { UnexpectedReplyError } from "./scripts.ts";

/** A pending record, or a revision of a stored one, as it stood when it was read. */
export interface PendingEntry extends Reference {
  readonly record: PendingRecord;
  /** What the payload must still begin with for an ack to remove it. */
  readonly stamp: string;
}

/** The head of a pending list. */
export interface Batch {
  readonly list: ListName;
  readonly partition: number;
  /** References taken from the list; those of records that have vanished with their chat have no entry. */
  readonly references: readonly string[];
  /** What is to be written. */
  readonly entries: readonly PendingEntry[];
  /** What belongs to a deleted application: to be removed, and not written. */
  readonly orphans: readonly PendingEntry[];
}

export interface BatchLimits {
  readonly maxRows: number;
  /** Bytes of the statement that will write the batch; a single record may be larger. */
  readonly maxBytes: number;
}

export type AckReply =
  /** Everything in the batch left the buffer, but for `changed` records, which are listed again. */
  | { readonly kind: "acknowledged"; readonly changed: number }
  /** Another flusher may hold the partition: nothing was removed. */
  | { readonly kind: "lease-lost" }
  /** The list does not begin with this batch: an earlier ack of it went through. Nothing was removed. */
  | { readonly kind: "moved" };

/** Rows read from Redis at a time: what is read beyond the bytes asked for is thrown away. */
const rowsAtOnce = 200;

/** Bytes of a row beyond its text: token, numbers, operation id, times, quotes. */
const rowOverheadBytes = 160;

/** Reads batches off the pending lists, and removes what was written. */
export class PendingBatches {
  readonly #connection: Connection;
  readonly #scripts: Scripts;
  readonly #keys: Keys;
  readonly #mostOwed: number;

  /** `mostOwed`: documents that may be owed before the index is compared as a whole; 0 where none are owed. */
  constructor(connection: Connection, scripts: Scripts, keys: Keys, mostOwed: number) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#keys = keys;
    this.#mostOwed = mostOwed;
  }

  /** How many references wait in a list. */
  async length(partition: number, list: ListName): Promise<number> {
    return this.#connection.settled(this.#connection.client.llen(this.#keys.list(partition, list)));
  }

  /**
   * Reads a batch, leaving it where it is; `skip` references before it are passed over. Nothing may be
   * acknowledged meanwhile: it would shift what is read.
   */
  async peek(partition: number, list: ListName, skip: number, limits: BatchLimits): Promise<Batch> {
    const references: string[] = [];
    const opened: PendingEntry[] = [];
    for (let bytes = 0; references.length < limits.maxRows;) {
      const start = skip + references.length;
      const count = Math.min(rowsAtOnce, limits.maxRows - references.length);
      const read = await this.#connection.settled(
        this.#connection.client.lrange(this.#keys.list(partition, list), start, start + count - 1),
      );
      const entries = await this.#open(read.map(parseReference));
      for (const [nth, reference] of read.entries()) {
        const entry = entries[nth];
        bytes += entry ? writtenBytes(entry) : 0;
        if (bytes > limits.maxBytes && references.length > 0) break;
        references.push(reference);
        if (entry) opened.push(entry);
      }
      if (read.length < count || bytes > limits.maxBytes) break;
    }
    const deleted = await this.#deletedApplications(opened);
    return {
      list,
      partition,
      references,
      entries: opened.filter(({ token }) => !deleted.has(token)),
      orphans: opened.filter(({ token }) => deleted.has(token)),
    };
  }

  /** The messages of a batch whose chat MySQL has refused: beneath it they would be found by nobody. */
  async stranded({ partition, list, entries }: Batch): Promise<ReadonlySet<PendingEntry>> {
    const { client } = this.#connection;
    const dead = await this.#connection.settled(client.zcard(this.#keys.deadLetters(partition)));
    if (list === "chats" || dead === 0) return new Set();
    const groups = [...byParent(entries).values()];
    const marks = await this.#pipelined((pipeline) => {
      for (const [{ token, chatNumber }] of groups) {
        pipeline.hexists(this.#keys.dead({ token }), String(chatNumber));
      }
    });
    return new Set(groups.filter((_, at) => marks[at] === 1).flat());
  }

  /**
   * Removes a batch that MySQL has committed, unless the lease was lost, and adds to the flushed totals. What
   * died is kept with its reason, readable as before, until a person decides.
   */
  async acknowledge(
    lease: Lease,
    batch: Batch,
    deaths: ReadonlyMap<PendingEntry, string>,
    totals: ReadonlyMap<string, number>,
  ): Promise<AckReply> {
    const [first, last] = [batch.references[0], batch.references.at(-1)];
    if (first === undefined || last === undefined) return { kind: "acknowledged", changed: 0 };
    const { partition, list } = batch;
    const keys = [
      this.#keys.lease(partition),
      this.#keys.meta(partition),
      this.#keys.list(partition, list),
      this.#keys.flushed(partition),
      this.#keys.deadLetters(partition),
      this.#keys.deadReasons(partition),
      this.#keys.conflicts(partition),
      this.#keys.dirty(partition),
      this.#keys.owedChats(partition),
    ];
    const args: (string | number)[] = [lease.value, batch.references.length, first, last, idleCounterSeconds];
    args.push(Date.now(), list === "messages" ? this.#mostOwed : 0, totals.size, ...[...totals].flat());
    for (const [prefix, siblings] of byParent([...batch.entries, ...batch.orphans])) {
      const [parent] = siblings;
      keys.push(this.#keys.counter(parent), this.#keys.pending(parent));
      keys.push(this.#keys.revisions(parent), this.#keys.dead(parent), this.#keys.owed(parent));
      args.push(prefix, siblings.length);
      for (const entry of siblings) {
        args.push(entry.number, markOf(entry.origin), entry.stamp, deaths.get(entry) ?? "");
      }
    }
    return ackReply(await this.#scripts.run("acknowledge", keys, args));
  }

  /** Reads what references point to, in their order; nothing where a record has vanished. */
  async #open(references: readonly Reference[]): Promise<(PendingEntry | undefined)[]> {
    const groups = [...byParent(references, ({ origin }) => origin).values()];
    const replies = await this.#pipelined((pipeline) => {
      for (const siblings of groups) {
        pipeline.hmget(this.#keys.home(siblings[0]), ...siblings.map(({ number }) => String(number)));
      }
    });
    const payloads = new Map<Reference, string | null>();
    for (const [at, siblings] of groups.entries()) {
      const values = replies[at] as (string | null)[];
      for (const [nth, reference] of siblings.entries()) payloads.set(reference, values[nth] ?? null);
    }
    return references.map((reference) => {
      const payload = payloads.get(reference);
      if (typeof payload !== "string") return undefined;
      return { ...reference, record: decodeRecord(payload), stamp: stampOf(payload) };
    });
  }

  async #deletedApplications(entries: readonly PendingEntry[]): Promise<Set<string>> {
    const tokens = [...new Set(entries.map(({ token }) => token))];
    const marks = await this.#pipelined((pipeline) => {
      for (const token of tokens) pipeline.hexists(this.#keys.counter({ token }), "deleted");
    });
    return new Set(tokens.filter((_, at) => marks[at] === 1));
  }

  /** Sends commands together; answers their replies. */
  async #pipelined(fill: (pipeline: ChainableCommander) => void): Promise<unknown[]> {
    const pipeline = this.#connection.client.pipeline();
    fill(pipeline);
    const results = (await this.#connection.settled(pipeline.exec())) ?? [];
    return Promise.all(
      results.map(([error, reply]) =>
        error ? this.#connection.settled(Promise.reject(error)) : Promise.resolve(reply),
      ),
    );
  }
}

/** What a record adds to a statement, at most: each byte may be escaped by another. */
function writtenBytes({ record }: PendingEntry): number {
  return 2 * Buffer.byteLength(record.text ?? "") + rowOverheadBytes;
}

/** Groups places by parent, and by what else tells them apart; each group under its reference prefix. */
function byParent<T extends Place>(
  places: readonly T[],
  kindOf: (place: T) => string = () => "",
): Map<string, [T, ...T[]]> {
  const groups = new Map<string, [T, ...T[]]>();
  for (const place of places) {
    const key = `${referencePrefix(place)}${kindOf(place)}`;
    const group = groups.get(key);
    if (group) group.push(place);
    else groups.set(key, [place]);
  }
  return groups;
}

function ackReply(reply: unknown): AckReply {
  if (Array.isArray(reply)) {
    const [kind, changed] = reply as unknown[];
    if (kind === "acknowledged" && typeof changed === "number") return { kind, changed };
    if (kind === "lease-lost" || kind === "moved") return { kind };
  }
  throw new UnexpectedReplyError("acknowledge", reply);
}
