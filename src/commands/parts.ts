import { type Buffer, openBuffer } from "../buffer/buffer.ts";
import type { Config } from "../config.ts";
import type { Lifecycle } from "../lifecycle.ts";
import type { SearchSettings } from "../search/open-search.ts";
import { openStore, type Store } from "../store/store.ts";

/** How a process uses the engines: to answer requests within a second, or to drain, patiently. */
type Use = "requests" | "draining";

/** Opens Redis and MySQL for a process and registers how to close them. Neither need be there yet. */
export async function openEngines(
  config: Config,
  lifecycle: Lifecycle,
  use: Use,
): Promise<{ buffer: Buffer; store: Store }> {
  const store = openStore(config.database, use === "requests" ? "requests" : "writing");
  lifecycle.onStop("store", () => store.close());
  const buffer = await openConfiguredBuffer(config, use);
  lifecycle.onStop("buffer", () => {
    buffer.close();
  });
  return { buffer, store };
}

/** With more owed than this, some 100 MB, comparing the whole index costs less than keeping count. */
const mostOwedDocuments = 1_000_000;

/** Opens the buffer alone. */
export async function openConfiguredBuffer(config: Config, use: Use): Promise<Buffer> {
  const thresholds = thresholdsOf(config);
  const limits = { ...config.buffer, thresholds };
  const mostOwed = config.search.elasticsearchUrl === undefined ? 0 : mostOwedDocuments;
  return openBuffer({ ...config.redis, limits, mostOwed }, use);
}

/** What a process searches with, and where. */
export function searchSettingsOf({ search, redis }: Config): SearchSettings {
  return { elasticsearchUrl: search.elasticsearchUrl, namespace: redis.namespace };
}

export function thresholdsOf({ flush }: Config): { chats: number; messages: number } {
  return { chats: flush.chatThreshold, messages: flush.messageThreshold };
}
