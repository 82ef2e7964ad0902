import { setTimeout as delay } from "node:timers/promises";

import { type Buffer, openBuffer } from "../buffer/buffer.ts";
import type { Config } from "../config.ts";
import type { Lifecycle } from "../lifecycle.ts";
import { parseRedisAddress } from "../redis-address.ts";
import type { SearchSettings } from "../search/open-search.ts";
import { agreeOnPartitions, PartitionsError, requirePartitions } from "../partitioning.ts";
import { openStore, type Store } from "../store/store.ts";

/** How a process uses the engines: to answer requests within a second, or to drain, patiently. */
type Use = "requests" | "draining";

/**
 * Opens Redis and MySQL for a process and registers how to close them. Neither need be there yet. One that answers
 * requests says from here on that it runs.
 *
 * @throws {PartitionsError} where the data is known to be divided into another number of partitions
 */
export async function openEngines(
  config: Config,
  lifecycle: Lifecycle,
  use: Use,
): Promise<{ buffer: Buffer; store: Store }> {
  const store = openStore(config.database, use === "requests" ? "requests" : "writing");
  lifecycle.onStop("store", () => store.close());
  const buffer = await openBufferUnchecked(config, use);
  lifecycle.onStop("buffer", () => {
    buffer.close();
  });
  if (use === "requests") lifecycle.onStop("heartbeat", buffer.processes.announce("api"));
  await requireAgreement(buffer, store);
  return { buffer, store };
}

/** With more owed than this, some 100 MB, comparing the whole index costs less than keeping count. */
const mostOwedDocuments = 1_000_000;

/** How long MySQL is waited for at the start: what is not known then is asked before a number is given. */
const patienceMs = 3000;

/** Where Redis knows the number MySQL need not be asked; where they may differ it decides, if it answers. */
async function requireAgreement(buffer: Buffer, store: Store): Promise<void> {
  const seen = await requirePartitions(buffer).catch((error: unknown) => error);
  if (seen === "known") return;
  const agreeing = agreeOnPartitions(buffer, store).then(
    () => undefined,
    (error: unknown) => (error instanceof PartitionsError ? error : seen),
  );
  const error = await Promise.race([agreeing, delay(patienceMs, seen, { ref: false })]);
  if (error instanceof PartitionsError) throw error;
}

/**
 * Opens the buffer alone.
 *
 * @throws {PartitionsError} where Redis says that it is divided into another number of partitions
 */
export async function openConfiguredBuffer(config: Config, use: Use): Promise<Buffer> {
  const buffer = await openBufferUnchecked(config, use);
  const error = await requirePartitions(buffer).catch((failure: unknown) => failure);
  if (!(error instanceof PartitionsError)) return buffer;
  buffer.close();
  throw error;
}

/** Opens the buffer whatever it is divided into. */
export async function openBufferUnchecked(config: Config, use: Use): Promise<Buffer> {
  const thresholds = thresholdsOf(config);
  const limits = { ...config.buffer, thresholds };
  const mostOwed = config.search.elasticsearchUrl === undefined ? 0 : mostOwedDocuments;
  return openBuffer({ ...config.redis, limits, mostOwed }, use);
}

/** Says that a cluster is of no use so: all keys of a partition lie on one master. */
export function warnOfOnePartition({ redis }: Config, log: { warn(message: string): void }): void {
  if (redis.partitions > 1 || parseRedisAddress(redis.url).kind !== "cluster") return;
  log.warn("PARTITIONS is 1: of the Redis Cluster one master alone will serve");
}

/** What a process searches with, and where. */
export function searchSettingsOf({ search, redis }: Config): SearchSettings {
  return { elasticsearchUrl: search.elasticsearchUrl, namespace: redis.namespace };
}

export function thresholdsOf({ flush }: Config): { chats: number; messages: number } {
  return { chats: flush.chatThreshold, messages: flush.messageThreshold };
}
