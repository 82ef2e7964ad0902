import { openBuffer } from "../../src/buffer/buffer.ts";
import { createServices } from "../../src/commands/api.ts";
import type { Services } from "../../src/http/services.ts";
import { openSearch } from "../../src/search/open-search.ts";
import { openStore } from "../../src/store/store.ts";
import { createLogger } from "../../src/telemetry.ts";
import { openWorkspace } from "./workspace.ts";

/** The services of an API process, in this process and on real engines. */
export async function openRealServices(): Promise<{ services: Services; close: () => Promise<void> }> {
  const workspace = await openWorkspace();
  const { redis, database, buffer: bounds } = workspace.config;
  const limits = { ...bounds, thresholds: { chats: 10, messages: 10 } };
  const buffer = await openBuffer({ ...redis, limits }, "requests");
  const store = openStore(database, "requests");
  const logger = createLogger({ level: "silent" });
  const search = openSearch(
    { elasticsearchUrl: undefined, namespace: redis.namespace },
    store.searching,
    logger,
  );
  return {
    services: createServices(
      { buffer, store, search, check: () => Promise.resolve([]) },
      () => Promise.resolve(""),
      logger,
    ),
    async close() {
      buffer.close();
      await store.close();
      await workspace.close();
    },
  };
}
