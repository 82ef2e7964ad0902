import type { Buffer } from "../buffer/buffer.ts";
import { BufferUnavailableError } from "../buffer/connections.ts";
import { compare, type CompareParts, type Differences } from "../search/compare.ts";
import { isElasticOutage } from "../search/elastic-client.ts";
import { Indexer } from "../search/indexer.ts";
import { type LoopParts, repeat } from "../search/loop.ts";
import { IndexBusyError, rebuild } from "../search/rebuild.ts";
import type { SearchIndex } from "../search/search-index.ts";
import { classify } from "../store/failure.ts";
import type { Store } from "../store/store.ts";
import { backoffMs } from "./backoff.ts";
import { LeaseHolder } from "./lease-holder.ts";
import type { Membership } from "./membership.ts";
import { owedAmong, OwedOfPartition } from "./owed-of-partition.ts";
import type { Clock, FlushLog } from "./ports.ts";

/** How often it is looked whether there is an index, and whether it is behind. */
const lookForIndexMs = 10_000;
const lookBehindMs = 1000;
/** A comparison waits while more than this is owed in a partition: what it finds comes on top. */
const roomForOwed = 10_000;
const lookForRoomMs = 200;

/** Keeps the search index: writes what it is owed, its share of the partitions under leases of their own, and builds it. */
export class IndexWorkers {
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;
  readonly #buffer: Buffer;
  readonly #store: Store;
  readonly #index: SearchIndex;
  readonly #loop: LoopParts;

  constructor(
    buffer: Buffer,
    store: Store,
    index: SearchIndex,
    { log, clock, membership }: { log: FlushLog; clock: Clock; membership: Membership },
  ) {
    this.#buffer = buffer;
    this.#store = store;
    this.#index = index;
    this.#loop = { clock, log, backoffMs, isOutage };
    const turns = membership.turnsAtIndexing(clock);
    const holders = Array.from({ length: buffer.partitions }, (_, partition) => {
      const leases = {
        acquire: (durationMs: number) => buffer.indexLeases.acquire(partition, membership.owner, durationMs),
        renew: buffer.indexLeases.renew.bind(buffer.indexLeases),
        release: buffer.indexLeases.release.bind(buffer.indexLeases),
      };
      const holder = new LeaseHolder({ partition, leases, turns, clock, log });
      return holder.run(this.#stop.signal, (_lease, signal) => this.#serve(partition, signal));
    });
    this.#running = Promise.all([turns.run(this.#stop.signal), ...holders]);
  }

  /** Resolves when the rounds in hand are done and the leases given back. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #serve(partition: number, signal: AbortSignal): Promise<void> {
    const owed = new OwedOfPartition(this.#buffer, partition);
    const indexer = new Indexer({ ...this.#loop, ...this.#index, owed, messages: this.#store.searching });
    await Promise.all([
      indexer.run(signal),
      this.#catchUp(partition, signal),
      ...(partition === 0 ? [this.#keepIndex(signal)] : []),
    ]);
  }

  /** Builds the index where there is none, or one of another definition. */
  async #keepIndex(signal: AbortSignal): Promise<void> {
    const failure = "the search index cannot be built; searches are answered from MySQL";
    await repeat(this.#loop, signal, { idleMs: lookForIndexMs, failure }, async () => {
      if (await this.#index.indices.isSearchable()) return false;
      this.#loop.log.info({}, "there is no search index: building it from MySQL");
      const parts = { ...this.#index, messages: this.#store.searching, signal, onProgress: () => undefined };
      this.#loop.log.info(await rebuild(parts), "the search index is built");
      return false;
    });
  }

  /** Compares the whole of a partition with MySQL, once it is marked that something may have been missed. */
  async #catchUp(partition: number, signal: AbortSignal): Promise<void> {
    const failure = "the search index cannot be compared with MySQL";
    await repeat(this.#loop, signal, { idleMs: lookBehindMs, failure }, async () => {
      const behind = await this.#buffer.owed.behind(partition);
      // An index that is not built yet is compared when it is: the mark may be younger than rows it has read.
      if (behind === undefined || !(await this.#index.indices.isSearchable())) return false;
      this.#loop.log.info(
        { partition },
        "the search index may have missed something: comparing it with MySQL",
      );
      const found = await compareAndMend(this.#buffer, this.#store, this.#index, {
        accepts: (token) => this.#buffer.partitionOf(token) === partition,
        onProgress: () => undefined,
        signal,
        clock: this.#loop.clock,
      });
      await this.#buffer.owed.caughtUp(partition, behind);
      this.#loop.log.info({ partition, ...found }, "compared the search index with MySQL");
      return false;
    });
  }
}

/** What passes by itself, in any of the three engines. */
function isOutage(error: unknown): boolean {
  if (error instanceof BufferUnavailableError || error instanceof IndexBusyError) return true;
  return isElasticOutage(error) || classify(error) === "outage";
}

type Look = Pick<CompareParts, "accepts" | "onProgress" | "signal">;

/** Compares the index with MySQL and makes owed what differs, as fast as there is room for it. */
export async function compareAndMend(
  buffer: Buffer,
  store: Store,
  { reader }: SearchIndex,
  { clock, ...look }: Look & { clock: Clock },
): Promise<Differences> {
  return compare({
    ...look,
    messages: store.searching,
    index: reader,
    owedAmong: (keys) => owedAmong(buffer, keys),
    async mend(keys) {
      const [first] = keys;
      if (!first) return;
      const partition = buffer.partitionOf(first.token);
      await buffer.owed.owe(partition, keys);
      while ((await buffer.owed.totals(partition)).documents > roomForOwed && !look.signal.aborted) {
        await clock.sleep(lookForRoomMs, look.signal);
      }
    },
    mendRemoval: (scope) => buffer.owed.oweRemoval(scope),
  });
}
