import { acknowledgementOf } from "./acknowledgement.ts";
import {
  type Batch,
  type BatchLimits,
  byParent,
  type Death,
  type CommittedFlush,
  isReadable,
  isUnreadable,
  openEntry,
  type PendingEntry,
  type UnreadableEntry,
} from "./batch.ts";
import { OtherVersionError } from "../records/payload.ts";
import { rowOverheadBytes, statementBytes } from "../records/records.ts";
import type { Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";
import { pipelined } from "./pipelined.ts";
import { type ListName, parseReference, type Reference } from "./references.ts";
import type { Lease } from "./leases.ts";
import type { Scripts } from "./scripts.ts";
import { UnexpectedReplyError } from "./scripts.ts";
import { findStranded, type Stranded } from "./stranded.ts";

export type AckReply =
  /** Everything in the batch left the buffer, but for `changed` records, which are listed again. */
  | { readonly kind: "acknowledged"; readonly changed: number }
  /** Another flusher may hold the partition: nothing was removed. */
  | { readonly kind: "lease-lost" }
  /** The list does not begin with this batch: an earlier ack of it went through. Nothing was removed. */
  | { readonly kind: "moved" };

/** Rows read from Redis at a time where it is not known how large they are. */
const cautiousRows = 200;

/** An entry of a list: where it points, if it is a reference, and what lies there, if it has not vanished. */
interface Opened {
  readonly listed: string;
  readonly reference: Reference | undefined;
  readonly entry: PendingEntry | UnreadableEntry | OtherVersionError | undefined;
}

/** Where a list begins: how many references ever left it, since the data began. */
interface ListHead {
  readonly position: number;
  readonly epoch: string;
}

function isSameHead(one: ListHead, other: ListHead): boolean {
  return one.position === other.position && one.epoch === other.epoch;
}

/** What a batch is made of so far. */
class Taken {
  readonly references: string[] = [];
  readonly strays: string[] = [];
  readonly vanished: Reference[] = [];
  readonly opened: (PendingEntry | UnreadableEntry)[] = [];
  /** Says that the batch ends before what another version of Sluice wrote. */
  otherVersion: OtherVersionError | undefined;
  readonly #met = new Set<string>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Below 0 where the batch was cut for its bytes. */
  get bytesLeft(): number {
    return this.#maxBytes - this.#bytes;
  }

  /**
   * Takes entries up to the one that does not belong to the batch; answers whether others may follow. One that is
   * listed again leaves the list with the batch and is not written again: MySQL would refuse the statement.
   */
  add(entries: readonly Opened[]): boolean {
    for (const { listed, reference, entry } of entries) {
      if (entry instanceof OtherVersionError) {
        this.otherVersion = entry;
        return false;
      }
      if (this.#met.has(listed)) {
        this.references.push(listed);
        continue;
      }
      this.#met.add(listed);
      this.#bytes += entry ? writtenBytes(entry) : 0;
      if (this.#bytes > this.#maxBytes && this.references.length > 0) return false;
      this.references.push(listed);
      if (!reference) this.strays.push(listed);
      if (entry) this.opened.push(entry);
      else if (reference) this.vanished.push(reference);
    }
    return this.#bytes <= this.#maxBytes;
  }
}

/** Reads batches off the pending lists, and removes what was written. */
export class PendingBatches {
  readonly #connection: Connection;
  readonly #scripts: Scripts;
  readonly #keys: Keys;
  readonly #mostOwed: number;
  /** Mean bytes that a row of the last batch of each list was taken to add to its statement. */
  readonly #rowBytes: Record<ListName, number> = { chats: Infinity, messages: Infinity };

  /** `mostOwed`: documents that may be owed before the index is compared as a whole; 0 where none are owed. */
  constructor(connection: Connection, scripts: Scripts, keys: Keys, mostOwed: number) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#keys = keys;
    this.#mostOwed = mostOwed;
  }

  /** How many references wait in a list. */
  async length(partition: number, list: ListName): Promise<number> {
    return this.#connection.client.llen(this.#keys.list(partition, list));
  }

  /**
   * Reads a batch, leaving it where it is; `skip` references before it are passed over. A batch ends before what a
   * version of Sluice wrote that this one cannot read.
   *
   * @throws {OtherVersionError} where that is what the list begins with
   */
  async peek(partition: number, list: ListName, skip: number, limits: BatchLimits): Promise<Batch> {
    const taken = new Taken(limits.maxBytes);
    let from: ListHead | undefined;
    for (let hasRoom = true; hasRoom && taken.references.length < limits.maxRows;) {
      const start = skip + taken.references.length;
      const count = Math.min(
        this.#rowsAtOnce(list, taken.bytesLeft),
        limits.maxRows - taken.references.length,
      );
      const { head, read } = await this.#range(partition, list, start, count);
      // What was acknowledged meanwhile has shifted the rest: whoever did it knows where the list begins.
      if (from && !isSameHead(from, head)) break;
      from = head;
      hasRoom = taken.add(await this.#open(read)) && read.length === count;
    }
    const { references, opened, otherVersion } = taken;
    if (opened.length > 0) {
      const meanBytes = (limits.maxBytes - taken.bytesLeft) / opened.length;
      this.#rowBytes[list] = Math.max(rowOverheadBytes, meanBytes);
    }
    if (otherVersion && skip + references.length === 0) throw otherVersion;
    const { position = 0, epoch = "" } = from ?? {};
    return this.#batchOf(taken, { list, partition, position: position + skip, epoch });
  }

  async #batchOf(
    { references, strays, vanished, opened }: Taken,
    place: Pick<Batch, "list" | "partition" | "position" | "epoch">,
  ): Promise<Batch> {
    const deleted = await this.#deletedApplications(opened);
    const readable = opened.filter(isReadable);
    return {
      ...place,
      references,
      entries: readable.filter(({ token }) => !deleted.has(token)),
      orphans: readable.filter(({ token }) => deleted.has(token)),
      unreadable: opened.filter(isUnreadable),
      vanished,
      strays,
    };
  }

  /** References of a list, counted from its head, and how many left it before that. */
  async #range(
    partition: number,
    list: ListName,
    start: number,
    count: number,
  ): Promise<{ head: ListHead; read: string[] }> {
    const keys = [this.#keys.meta(partition), this.#keys.list(partition, list)];
    const reply = await this.#scripts.run("read-list", keys, [list, start, start + count - 1]);
    const [position, epoch, read] = reply as [string | null, string | null, string[]];
    return { head: { position: Number(position ?? 0), epoch: epoch ?? "" }, read };
  }

  /** The messages of a batch whose chat is dead: written beneath it they would be found by nobody. */
  async stranded(batch: Batch): Promise<Stranded> {
    return findStranded(this.#connection, this.#keys, batch);
  }

  /**
   * Removes a batch that MySQL has committed, unless the lease was lost, and adds to the flushed totals. What
   * died is kept with its reason, readable as before, until a person decides. `committed` is the last flush that MySQL
   * is known to have.
   */
  async acknowledge(
    lease: Lease,
    batch: Batch,
    deaths: ReadonlyMap<PendingEntry, Death>,
    totals: ReadonlyMap<string, number>,
    committed?: CommittedFlush,
  ): Promise<AckReply> {
    if (batch.references.length === 0) return { kind: "acknowledged", changed: 0 };
    const fate = { deaths, totals, committed, mostOwed: this.#mostOwed };
    const { keys, args } = acknowledgementOf(this.#keys, lease, batch, fate);
    return ackReply(await this.#scripts.run("acknowledge", keys, args));
  }

  /**
   * As many rows as are expected to fit: what is read beyond the bytes asked for is thrown away, and each
   * further look costs a command for every parent.
   */
  #rowsAtOnce(list: ListName, bytesLeft: number): number {
    return Math.max(cautiousRows, Math.floor(bytesLeft / this.#rowBytes[list]));
  }

  /** Reads what a list's entries point to, in their order; no entry where a record has vanished. */
  async #open(listed: readonly string[]): Promise<Opened[]> {
    const references = listed.map(parseReference);
    const known = references.filter((reference) => reference !== undefined);
    const groups = [...byParent(known, ({ origin }) => origin).values()];
    const replies = await pipelined(this.#connection, (pipeline) => {
      for (const siblings of groups) {
        pipeline.hmget(this.#keys.home(siblings[0]), ...siblings.map(({ number }) => String(number)));
      }
    });
    const payloads = new Map<Reference, string | null>();
    for (const [at, siblings] of groups.entries()) {
      const values = replies[at] as (string | null)[];
      for (const [nth, reference] of siblings.entries()) payloads.set(reference, values[nth] ?? null);
    }
    return listed.map((one, at) => {
      const reference = references[at];
      const payload = reference && payloads.get(reference);
      const entry = reference && typeof payload === "string" ? openEntry(reference, payload) : undefined;
      return { listed: one, reference, entry };
    });
  }

  async #deletedApplications(entries: readonly Reference[]): Promise<Set<string>> {
    const tokens = [...new Set(entries.map(({ token }) => token))];
    const marks = await pipelined(this.#connection, (pipeline) => {
      for (const token of tokens) pipeline.hexists(this.#keys.counter({ token }), "deleted");
    });
    return new Set(tokens.filter((_, at) => marks[at] === 1));
  }
}

/** Bytes that an entry adds to a statement, at most. */
function writtenBytes(entry: PendingEntry | UnreadableEntry): number {
  return isReadable(entry) ? statementBytes(entry.record) : 0;
}

function ackReply(reply: unknown): AckReply {
  if (Array.isArray(reply)) {
    const [kind, changed] = reply as unknown[];
    if (kind === "acknowledged" && typeof changed === "number") return { kind, changed };
    if (kind === "lease-lost" || kind === "moved") return { kind };
  }
  throw new UnexpectedReplyError("acknowledge", reply);
}
