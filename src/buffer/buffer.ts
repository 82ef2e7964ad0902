import { Accepting, type AcceptLimits, requestKeySeconds } from "./accepting.ts";
import { AuditTrail } from "./audit-trail.ts";
import { BlockedAddresses } from "./blocked-addresses.ts";
import type { RedisClient } from "./clients.ts";
import { ClusterClient } from "./cluster-client.ts";
import { connect, connectSubscriber, subscribe, type Connection } from "./connections.ts";
import { DeadLetters } from "./dead-letters.ts";
import { BufferEpochs } from "./epochs.ts";
import { DirtyParents } from "./dirty-parents.ts";
import { IndexTotals } from "./index-totals.ts";
import { Inspection } from "./invariants/inspection.ts";
import { Mending } from "./invariants/mending.ts";
import { JobRuns } from "./job-runs.ts";
import { BufferHealth } from "./health.ts";
import { History } from "./history.ts";
import { Keys } from "./keys.ts";
import { BufferLayout } from "./layout.ts";
import { Leases } from "./leases.ts";
import { OwedDocuments } from "./owed-documents.ts";
import { Pauses } from "./pauses.ts";
import { PendingHeads } from "./pending-heads.ts";
import { PendingBatches } from "./pending-batches.ts";
import { PendingReads } from "./pending-reads.ts";
import { Processes } from "./processes.ts";
import { Repartitioning } from "./repartitioning.ts";
import { RecentFlushes } from "./recent-flushes.ts";
import { Revising } from "./revising.ts";
import { Scripts } from "./scripts.ts";
import { Snapshots } from "./snapshots.ts";
import { Totals } from "./totals.ts";

export interface BufferSettings {
  readonly url: string;
  readonly namespace: string;
  readonly partitions: number;
  readonly limits: AcceptLimits;
  /**
   * Documents that may be owed to the search index before the whole index is marked to be behind; absent where
   * there is no index to write to.
   */
  readonly mostOwed?: number;
}

/** Why a flusher is asked to look: a list reached its threshold, or a person wants a flush now. */
export type WakeReason = "threshold" | "manual";

/**
 * The Redis side of Sluice: counters, pending records, pending lists, leases. The only code that knows the
 * keys. Every method fails with `BufferUnavailableError` while Redis is away, within its client's timeout.
 */
export class Buffer {
  readonly accepting: Accepting;
  readonly revising: Revising;
  readonly reads: PendingReads;
  readonly batches: PendingBatches;
  readonly heads: PendingHeads;
  readonly deadLetters: DeadLetters;
  readonly dirty: DirtyParents;
  readonly owed: OwedDocuments;
  readonly epochs: BufferEpochs;
  /** For draining. */
  readonly leases: Leases;
  /** For writing the search index. */
  readonly indexLeases: Leases;
  readonly indexTotals: IndexTotals;
  readonly totals: Totals;
  readonly processes: Processes;
  readonly jobs: JobRuns;
  readonly snapshots: Snapshots;
  readonly layout: BufferLayout;
  readonly repartitioning: Repartitioning;
  readonly pauses: Pauses;
  readonly recentFlushes: RecentFlushes;
  readonly history: History;
  readonly audit: AuditTrail;
  readonly blockedAddresses: BlockedAddresses;
  readonly health: BufferHealth;
  readonly inspection: Inspection;
  readonly mending: Mending;
  readonly limits: AcceptLimits;
  readonly partitions: number;
  readonly #connection: Connection;
  readonly #url: string;
  readonly #keys: Keys;
  #subscriber: RedisClient | undefined;

  constructor(connection: Connection, settings: BufferSettings) {
    const keys = new Keys(settings.namespace, settings.partitions);
    const scripts = new Scripts(connection);
    const { mostOwed = 0 } = settings;
    this.health = new BufferHealth(connection, scripts, keys);
    this.accepting = new Accepting(scripts, keys, settings.limits, this.health);
    this.revising = new Revising(scripts, keys, settings.limits, this.health);
    this.reads = new PendingReads(scripts, keys);
    this.batches = new PendingBatches(connection, scripts, keys, mostOwed);
    this.heads = new PendingHeads(connection, keys);
    this.deadLetters = new DeadLetters(connection, scripts, keys, this.reads, this.revising);
    this.dirty = new DirtyParents(connection, scripts, keys);
    this.owed = new OwedDocuments(connection, scripts, keys, mostOwed);
    this.epochs = new BufferEpochs(connection, scripts, keys);
    this.leases = new Leases(connection, scripts, keys);
    this.indexLeases = new Leases(connection, scripts, {
      lease: (partition) => keys.indexLease(partition),
      fence: (partition) => keys.indexFence(partition),
    });
    this.indexTotals = new IndexTotals(connection, scripts, keys);
    this.totals = new Totals(connection, scripts, keys, this.heads);
    this.processes = new Processes(connection, scripts, keys);
    this.jobs = new JobRuns(connection, scripts, keys);
    this.snapshots = new Snapshots(connection, keys);
    this.layout = new BufferLayout(connection, keys);
    this.repartitioning = new Repartitioning(connection, keys, settings.namespace);
    this.pauses = new Pauses(connection, keys);
    this.recentFlushes = new RecentFlushes(connection, keys);
    this.history = new History(connection, scripts, keys);
    this.audit = new AuditTrail(connection, keys);
    this.blockedAddresses = new BlockedAddresses(connection, keys, settings.url);
    this.inspection = new Inspection(connection, keys);
    this.mending = new Mending(connection, scripts, keys);
    this.limits = settings.limits;
    this.partitions = settings.partitions;
    this.#connection = connection;
    this.#url = settings.url;
    this.#keys = keys;
  }

  /** The connection itself, for the rate limiter, which keeps keys of its own. */
  get connection(): RedisClient {
    return this.#connection.unsettled;
  }

  /** The partition an application and all that belongs to it live in. */
  partitionOf(token: string): number {
    return this.#keys.partitionOf(token);
  }

  /** Resolves when Redis answers. @throws {BufferUnavailableError} */
  async ping(): Promise<void> {
    await this.#connection.client.ping();
  }

  /**
   * Calls back before any command can reach another Redis process than before: each time the connection is
   * lost, or a cluster was asked who serves what.
   */
  onReconnect(listener: () => void): void {
    this.#connection.onReconnect(listener);
  }

  /** Calls back when a partition's flusher should look, and for each partition after a lost connection. */
  async onWake(listener: (partition: number, reason: WakeReason) => void): Promise<void> {
    const subscriber = connectSubscriber(this.#url);
    this.#subscriber = subscriber;
    const channels = Array.from({ length: this.partitions }, (_, partition) =>
      this.#keys.wakeChannel(partition),
    );
    subscriber.on("message", (channel: string, reason: string) => {
      const partition = channels.indexOf(channel);
      if (partition >= 0) listener(partition, reason === "manual" ? "manual" : "threshold");
    });
    // A wake-up sent while the connection was down was heard by nobody. A cluster's client does not tell of
    // that; it asks every two seconds who serves what.
    subscriber.on(subscriber instanceof ClusterClient ? "refresh" : "ready", () => {
      for (const partition of channels.keys()) listener(partition, "threshold");
    });
    await subscribe(subscriber, channels);
  }

  /**
   * Lets only the first of several calls with a key through, for as long as a request key is remembered;
   * the others are answered what the first one had to say.
   */
  async rememberFirst(key: string, value: string): Promise<string> {
    const name = this.#keys.applicationRequest(key);
    const earlier = await this.#connection.client.set(name, value, "EX", requestKeySeconds, "NX", "GET");
    return earlier ?? value;
  }

  /** Asks the flusher of a partition, whichever process it is, to flush now. */
  async wake(partition: number, reason: WakeReason): Promise<void> {
    await this.#connection.client.publish(this.#keys.wakeChannel(partition), reason);
  }

  /** Closes the connections; commands in flight fail. */
  close(): void {
    this.#subscriber?.disconnect();
    this.blockedAddresses.close();
    this.#connection.client.disconnect();
  }
}

/** Opens the buffer. Redis need not be there yet: commands fail until it is. */
export async function openBuffer(settings: BufferSettings, use: "requests" | "draining"): Promise<Buffer> {
  const connection = connect(settings.url, use);
  await connection.open();
  return new Buffer(connection, settings);
}
