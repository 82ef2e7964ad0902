import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

import { keyOf, OperatorKeys } from "./operator-keys.ts";
import { type ListName, type Parent, parentPath, type Reference } from "./references.ts";

/**
 * Names every Redis key. All keys of a partition carry its number as hash tag, so that in a Redis Cluster
 * they lie in one slot and one script may touch them together.
 */
export class Keys {
  readonly #namespace: string;
  readonly partitions: number;
  /** Those of what is kept for operators. */
  readonly operators: OperatorKeys;

  constructor(namespace: string, partitions: number) {
    this.#namespace = namespace;
    this.partitions = partitions;
    this.operators = new OperatorKeys(namespace);
  }

  /** The partition an application and all that belongs to it live in. */
  partitionOf(token: string): number {
    return this.partitions === 1 ? 0 : crc32(token) % this.partitions;
  }

  /** Hash: the epoch, bytes pending, totals accepted. */
  meta(partition: number): string {
    return this.#key(partition, "meta");
  }

  /** List: references to pending records in the order in which they were accepted. */
  list(partition: number, name: ListName): string {
    return this.#key(partition, name);
  }

  /** String: who may drain the partition now; expires. */
  lease(partition: number): string {
    return this.#key(partition, "lease");
  }

  /** Integer: how often the lease was given; fences off whoever held it before. */
  fence(partition: number): string {
    return this.#key(partition, "fence");
  }

  /** String: who may write the partition's part of the search index now; expires. */
  indexLease(partition: number): string {
    return this.#key(partition, "index-lease");
  }

  /** Integer: how often that lease was given. */
  indexFence(partition: number): string {
    return this.#key(partition, "index-fence");
  }

  /** Hash: why the search index does not take a message, by its path. */
  refused(partition: number): string {
    return this.#key(partition, "index-refused");
  }

  /** Hash: totals of what was indexed. */
  indexed(partition: number): string {
    return this.#key(partition, "indexed");
  }

  /** Hash: totals of what was flushed. */
  flushed(partition: number): string {
    return this.#key(partition, "flushed");
  }

  /** Hash: the last number a parent gave; leaves Redis when the parent is idle. */
  counter(parent: Parent): string {
    return this.#key(this.partitionOf(parent.token), `counter:${parentPath(parent)}`);
  }

  /** Hash: a parent's pending records, number → payload. */
  pending(parent: Parent): string {
    return this.#key(this.partitionOf(parent.token), `pending:${parentPath(parent)}`);
  }

  /**
   * Hash: what is to replace a parent's records in MySQL, number → payload; deleted pending ones as well, and
   * changes that MySQL refused.
   */
  revisions(parent: Parent): string {
    return this.#key(this.partitionOf(parent.token), `revisions:${parentPath(parent)}`);
  }

  /** Hash: a parent's new records that MySQL refused, number → payload; still readable. */
  dead(parent: Parent): string {
    return this.#key(this.partitionOf(parent.token), `dead:${parentPath(parent)}`);
  }

  /** What lies beneath a parent, in the order in which scripts take it: counter, pending, revisions, dead letters. */
  beneath(parent: Parent): [string, string, string, string] {
    return [this.counter(parent), this.pending(parent), this.revisions(parent), this.dead(parent)];
  }

  /** Hash: where the payload of a listed record lies. */
  home(reference: Reference): string {
    switch (reference.origin) {
      case "pending":
        return this.pending(reference);
      case "revision":
        return this.revisions(reference);
      case "dead":
        return this.dead(reference);
    }
  }

  /** Sorted set: references of dead letters by the time at which they died, milliseconds. */
  deadLetters(partition: number): string {
    return this.#key(partition, "dead-letters");
  }

  /** Hash: why each dead letter died, by reference. */
  deadReasons(partition: number): string {
    return this.#key(partition, "dead-reasons");
  }

  /**
   * Hash: dead letters that no reader sees, by id: records whose number another record holds in MySQL, and what
   * cannot be read.
   */
  setAside(partition: number): string {
    return this.#key(partition, "set-aside");
  }

  /** Sorted set: paths of parents whose stored count must be recomputed, by the sequence of the last change. */
  dirty(partition: number): string {
    return this.#key(partition, "dirty");
  }

  /** Sorted set: paths of chats with owed documents, by the sequence of the oldest. */
  owedChats(partition: number): string {
    return this.#key(partition, "owed-chats");
  }

  /** Sorted set: a chat's messages whose document must be written again, number by sequence. */
  owed(parent: Parent): string {
    return this.#key(this.partitionOf(parent.token), `owed:${parentPath(parent)}`);
  }

  /** Sorted set: paths of deleted applications and chats whose documents must go, by time, milliseconds. */
  owedRemovals(partition: number): string {
    return this.#key(partition, "owed-removals");
  }

  /** String: what a POST with an idempotency key was answered; expires. */
  idempotency(parent: Parent, key: string): string {
    return this.#key(this.partitionOf(parent.token), `idempotency:${parentPath(parent)}:${digestOf(key)}`);
  }

  /** String: which application a POST with an idempotency key made; expires. Touched by no script. */
  applicationRequest(key: string): string {
    const digest = digestOf(key);
    return this.#key(this.partitionOf(digest), `idempotency:${digest}`);
  }

  /** Pub/sub channel on which a full list, or a person, wakes the flusher of a partition. */
  wakeChannel(partition: number): string {
    return this.#key(partition, "wake");
  }

  /** String: what is written to see whether Redis takes it; expires. */
  trial(partition: number): string {
    return this.#key(partition, "trial");
  }

  /** What each command is tried on; gone when that is done. */
  trialOfRights(partition: number): string {
    return this.#key(partition, "trial-rights");
  }

  /** What a restore tries out whether this Redis takes it; gone when that is done. */
  trialOfRestore(): string {
    return this.#key(0, "trial-restore");
  }

  /** String: into how many partitions this Redis is divided. */
  partitionCount(): string {
    return this.#key(0, "partitions");
  }

  /** Hash: what was noted when a change of that number began; absent while there is none. */
  repartition(): string {
    return this.#key(0, "repartition");
  }

  /** Hash: what each process that runs says of itself. */
  processes(): string {
    return this.#key(0, "processes");
  }

  /** Sorted set: processes by the time at which they are forgotten, milliseconds. */
  processesForgotten(): string {
    return this.#key(0, "processes-forgotten");
  }

  /** String: a tick of a job that somebody has claimed; expires. */
  jobTick(job: string, tick: string): string {
    return this.#key(0, `job-tick:${job}:${tick}`);
  }

  /** String: who runs a job now; expires. */
  jobLease(job: string): string {
    return this.#key(0, `job-lease:${job}`);
  }

  /** Integer: how often a job's lease was given. */
  jobFence(job: string): string {
    return this.#key(0, `job-fence:${job}`);
  }

  /** List: a job's last runs, the latest first. */
  jobRuns(job: string): string {
    return this.#key(0, `job-runs:${job}`);
  }

  /** Hash: how often a job was done, failed, or skipped, and when it was last done. */
  jobTotals(job: string): string {
    return this.#key(0, `job-totals:${job}`);
  }

  /** Hash: jobs that a person asked for and that no flusher has begun. */
  jobRequests(): string {
    return this.#key(0, "job-requests");
  }

  /** What every key of a partition matches; the rate limiter's do not. */
  pattern(): string {
    return `${this.#namespace}:{*`;
  }

  /** Reads the name of a key of a partition; nothing for one that is none of this installation's. */
  parse(key: string): ParsedKey | undefined {
    const head = `${this.#namespace}:{`;
    const found = key.startsWith(head)
      ? /^(\d+)\}:([\w-]+)(?::([\w-]+))?/.exec(key.slice(head.length))
      : null;
    if (!found) return undefined;
    const [partition, name, token] = [Number(found[1]), found[2] ?? "", found[3]];
    const isAtHome =
      partition < this.partitions &&
      (!parentNames.has(name) || token === undefined || this.partitionOf(token) === partition);
    return { name, partition, isAtHome, isOfThePresent: presentNames.test(name) };
  }

  #key(partition: number, name: string): string {
    return keyOf(this.#namespace, partition, name);
  }
}

/** What the name of a key tells. */
interface ParsedKey {
  readonly name: string;
  readonly partition: number;
  /** Whether its partition is where it is looked for. */
  readonly isAtHome: boolean;
  /** Whether it tells which processes run and what they do, and nothing of what was accepted. */
  readonly isOfThePresent: boolean;
}

/** The keys that hold the token of an application next. */
const parentNames = new Set(["counter", "pending", "revisions", "dead", "owed"]);
const presentNames =
  /^(lease|index-lease|processes|processes-forgotten|partitions|trial|trial-rights|trial-restore|job-\w+)$/;

/** A client's key as part of a name: of one length, and of no character that means something here. */
function digestOf(key: string): string {
  return createHash("sha256").update(key).digest("base64url");
}
