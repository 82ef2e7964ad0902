import { gather, type Gathered } from "../gather.ts";
import type { KnownNumber } from "../numbering.ts";
import type { BufferHealth } from "./health.ts";
import type { Keys } from "./keys.ts";
import { type ListName, type Parent, referencePrefix } from "./references.ts";
import type { Scripts } from "./scripts.ts";
import { UnexpectedReplyError } from "./scripts.ts";

export type AcceptReply =
  /** Numbered and kept. */
  | { readonly kind: "accepted"; readonly number: number }
  /** What an earlier call with the same idempotency key was given. */
  | { readonly kind: "replayed"; readonly number: number; readonly createdAtMs: number }
  /** The idempotency key came with another request before. */
  | { readonly kind: "key-reused" }
  /** Redis does not know the parent; `seed` it with what MySQL knows and try again. */
  | { readonly kind: "unknown-parent" }
  /** The parent, or what it belongs to, was deleted. */
  | { readonly kind: "deleted-parent" }
  /** As much is pending as may be, or Redis has little memory left; no number was given. */
  | { readonly kind: "full" }
  /** Redis may be another one than when this was asked for; nothing was sent. */
  | { readonly kind: "reconnected" };

/** What Redis says to one who begins to load a parent. */
export type LoadReply =
  /** Somebody else has loaded it. */
  | { readonly kind: "known" }
  | { readonly kind: "deleted-parent" }
  /** Redis is empty, and nothing may be numbered before an epoch has begun. */
  | { readonly kind: "no-epoch" }
  | {
      readonly kind: "loading";
      /** All who load the parent at a time hold it; the first of them who seeds makes it void. */
      readonly ticket: string;
      readonly epoch: string;
      /** Losses of data that came before the epoch. */
      readonly losses: number;
      /** Flush sequence that MySQL is known to have had. */
      readonly committed: number;
      /** What Redis knows of the parent's numbers: from an epoch before, and from what is pending. */
      readonly buffered: KnownNumber;
    };

/** "stale": the load began before another that has ended, or under another epoch. */
type SeedReply = "seeded" | "deleted-parent" | "stale";

export interface AcceptLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
  /** Numbers left out where some may have been answered that no store knows any more. */
  readonly numberGapAfterLoss: number;
  /** Lengths of the pending lists at which a flusher is woken. */
  readonly thresholds: Readonly<Record<ListName, number>>;
}

/** What makes a repeated request the same request. */
export interface RequestKey {
  readonly key: string;
  /** Digest of the request, without white space. */
  readonly fingerprint: string;
}

export interface AcceptRequest {
  readonly payload: string;
  readonly createdAtMs: number;
  readonly requestKey?: RequestKey | undefined;
}

/** Seconds after which a counter without pending records leaves Redis; it is then reloaded when asked for. */
export const idleCounterSeconds = 3600;

/** Seconds for which a load may take; one that takes longer begins again. */
const ticketSeconds = 30;

/** Seconds for which a request key is remembered. */
export const requestKeySeconds = 24 * 3600;

/** Characters of one call; Redis does nothing else meanwhile. */
const mostSizeOfCall = 256 * 1024;
/**
 * What a record counts as at least, so that a call takes no more than 8: Redis begins with the first of a crowd
 * while the rest is still being read, and nobody waits for a crowd to be whole.
 */
const leastSize = mostSizeOfCall / 8;

interface NewRecord {
  readonly parent: Parent;
  readonly request: AcceptRequest;
  readonly reconnects: number;
}

/** Gives numbers and keeps what was numbered. */
export class Accepting {
  readonly #scripts: Scripts;
  readonly #keys: Keys;
  readonly #limits: AcceptLimits;
  readonly #health: BufferHealth;
  readonly #gathered: Gathered<number, NewRecord, unknown>;

  constructor(scripts: Scripts, keys: Keys, limits: AcceptLimits, health: BufferHealth) {
    this.#scripts = scripts;
    this.#keys = keys;
    this.#limits = limits;
    this.#health = health;
    this.#gathered = gather({
      run: (partition, records) => this.#acceptAll(partition, records),
      sizeOf: ({ request }) => Math.max(request.payload.length, leastSize),
      mostSize: mostSizeOfCall,
    });
  }

  /**
   * Gives a payload the next number of its parent and keeps it, in one atomic step. What is to be accepted in
   * the same turn of the event loop goes to Redis in the same call, each record for itself.
   *
   * @throws {BufferUnavailableError} when Redis did not answer; the record may then have been kept.
   */
  async accept(parent: Parent, request: AcceptRequest): Promise<AcceptReply> {
    const { reconnects } = this.#scripts;
    const record = { parent, request, reconnects };
    return acceptReply(await this.#gathered(this.#keys.partitionOf(parent.token), record));
  }

  async #acceptAll(partition: number, records: readonly NewRecord[]): Promise<readonly unknown[]> {
    if (records.some(({ reconnects }) => reconnects !== this.#scripts.reconnects)) {
      return records.map(() => ["reconnected"]);
    }
    const { maxRecords, thresholds } = this.#limits;
    const maxBytes = this.#health.bound(this.#limits.maxBytes);
    const keys = [
      this.#keys.meta(partition),
      this.#keys.list(partition, "chats"),
      this.#keys.list(partition, "messages"),
    ];
    const args = [
      maxRecords,
      maxBytes,
      thresholds.chats,
      thresholds.messages,
      this.#keys.wakeChannel(partition),
      requestKeySeconds,
    ];
    for (const record of records) this.#addTo(keys, args, record);
    const replies = await this.#scripts.run("accept", keys, args);
    if (Array.isArray(replies) && replies.length === records.length) return replies as unknown[];
    throw new UnexpectedReplyError("accept", replies);
  }

  /** Adds a record to a call, in the order in which the script takes it apart. */
  #addTo(keys: string[], args: (string | number)[], { parent, request }: NewRecord): void {
    const { token, chatNumber } = parent;
    const { payload, createdAtMs, requestKey } = request;
    keys.push(this.#keys.counter(parent), this.#keys.pending(parent));
    if (chatNumber !== undefined) keys.push(this.#keys.counter({ token }), this.#keys.pending({ token }));
    if (requestKey) keys.push(this.#keys.idempotency(parent, requestKey.key));
    args.push(payload, referencePrefix(parent), chatNumber ?? "", requestKey?.fingerprint ?? "", createdAtMs);
  }

  /**
   * Begins to load a parent that Redis does not know: what MySQL says of it is to be read after this.
   * `ticket` is a fresh random word.
   */
  async beginLoad(parent: Parent, ticket: string): Promise<LoadReply> {
    const keys = [
      this.#keys.meta(this.#keys.partitionOf(parent.token)),
      this.#keys.counter(parent),
      this.#keys.pending(parent),
      this.#keys.counter({ token: parent.token }),
    ];
    return loadReply(await this.#scripts.run("begin-load", keys, [ticket, ticketSeconds]));
  }

  /** Ends a load: the parent goes on above a number, unless another load has ended or an epoch begun since. */
  async seed(
    parent: Parent,
    { ticket, epoch }: { readonly ticket: string; readonly epoch: string },
    above: number,
  ): Promise<SeedReply> {
    const keys = [this.#keys.meta(this.#keys.partitionOf(parent.token)), ...this.#keys.beneath(parent)];
    const reply = await this.#scripts.run("seed", keys, [ticket, epoch, above, idleCounterSeconds]);
    const kind: unknown = Array.isArray(reply) ? reply[0] : undefined;
    if (kind === "seeded" || kind === "deleted-parent" || kind === "stale") return kind;
    throw new UnexpectedReplyError("seed", reply);
  }
}

function loadReply(reply: unknown): LoadReply {
  const [kind, ticket, epoch, ...numbers] = Array.isArray(reply) ? (reply as unknown[]) : [];
  if (kind === "known" || kind === "deleted-parent" || kind === "no-epoch") return { kind };
  if (kind === "loading" && typeof ticket === "string" && typeof epoch === "string") {
    const [losses = 0, committed = 0, greatest = 0, lossesBefore = 0] = numbers.map(Number);
    return { kind, ticket, epoch, losses, committed, buffered: { greatest, losses: lossesBefore } };
  }
  throw new UnexpectedReplyError("begin-load", reply);
}

function acceptReply(reply: unknown): AcceptReply {
  if (typeof reply === "number") return { kind: "accepted", number: reply };
  const [kind, number, createdAtMs] = Array.isArray(reply) ? (reply as unknown[]) : [];
  switch (kind) {
    case "replayed":
      if (typeof number === "number" && typeof createdAtMs === "number") return { kind, number, createdAtMs };
      break;
    case "key-reused":
    case "unknown-parent":
    case "deleted-parent":
    case "full":
    case "reconnected":
      return { kind };
  }
  throw new UnexpectedReplyError("accept", reply);
}
