import { rebuild } from "../search/rebuild.ts";
import { openSearchIndex } from "../search/search-index.ts";
import type { Store } from "../store/store.ts";
import type { Job } from "./job.ts";

/**
 * Builds the search index anew from MySQL while writes go on. Where it was stopped or killed, the next run goes
 * on. It fails where the index does not take a message, with all others in it.
 */
export function reindexJob(store: Store, elasticsearchUrl: string, namespace: string): Job {
  return {
    name: "reindex",
    run: async (signal, show) => {
      const index = openSearchIndex(elasticsearchUrl, namespace);
      const progress = show("messages", await store.searching.estimateMessages());
      try {
        const { advance: onProgress } = progress;
        const built = await rebuild({ ...index, messages: store.searching, signal, onProgress });
        const since = built.isResumed ? " since it was broken off" : "";
        const said = `${built.index} is searched now: ${built.messages} messages${since}`;
        if (built.refused > 0) throw new Error(`${said}, of which the index does not take ${built.refused}`);
        return said;
      } finally {
        progress.done();
        await index.close();
      }
    },
  };
}
