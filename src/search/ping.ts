import { openClient } from "./elastic-client.ts";
import type { SearchSettings } from "./open-search.ts";

const patienceMs = 700;

/** Asks whether Elasticsearch answers. */
export interface SearchPing {
  /** @throws where it does not, within a second */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a way to ask; nothing where none is used. */
export function openSearchPing({ elasticsearchUrl }: SearchSettings): SearchPing | undefined {
  if (elasticsearchUrl === undefined) return undefined;
  const client = openClient(elasticsearchUrl);
  return {
    ping: async () => {
      await client.ping({}, { requestTimeout: patienceMs });
    },
    close: () => client.close(),
  };
}
