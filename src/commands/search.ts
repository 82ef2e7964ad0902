import type { Config } from "../config.ts";
import { compareAndMend } from "../flusher/index-workers.ts";
import { systemClock } from "../flusher/flusher.ts";
import { compare } from "../search/compare.ts";
import { openSearchIndex, type SearchIndex } from "../search/search-index.ts";
import { openStore, type Store } from "../store/store.ts";
import { owedAmong } from "../flusher/owed-of-partition.ts";
import { runJobByHand } from "./jobs.ts";
import { OperatorError } from "./operator-error.ts";
import { openConfiguredBuffer } from "./parts.ts";
import { progressOf } from "./progress.ts";

/**
 * Builds the search index anew, as the job of that name does.
 *
 * @throws {OperatorError} where there is no index, or it could not be done
 */
export async function runReindex(config: Config): Promise<void> {
  requireIndex(config);
  await runJobByHand(config, "reindex");
}

/**
 * Compares the index with MySQL, and makes owed what differs, unless it is only asked what that is.
 *
 * @throws {OperatorError} where they differ
 */
export async function runSearchCheck(config: Config, { dryRun }: { dryRun: boolean }): Promise<void> {
  await withIndex(config, async (index, store) => {
    if (!(await index.indices.isSearchable())) {
      throw new OperatorError("There is no search index yet: a flusher builds it, or `sluice reindex`.");
    }
    const buffer = await openConfiguredBuffer(config, "draining");
    try {
      const total = await store.searching.estimateMessages();
      const progress = progressOf(process.stderr, { total, what: "messages" });
      const look = { accepts: () => true, onProgress: progress.advance, signal: stopSignal() };
      const found = dryRun
        ? await compare({
            ...look,
            messages: store.searching,
            index: index.reader,
            owedAmong: (keys) => owedAmong(buffer, keys),
            mend: () => Promise.resolve(),
            mendRemoval: () => Promise.resolve(),
          })
        : await compareAndMend(buffer, store, index, { ...look, clock: systemClock });
      progress.done();
      const { missing, stale, extra } = found;
      console.log(`${missing} missing, ${stale} stale, ${extra} extra`);
      if (missing + stale + extra === 0) return;
      throw new OperatorError(
        dryRun
          ? "The index differs from MySQL; without --dry-run it is mended."
          : "The index differed from MySQL; a flusher is mending it.",
      );
    } finally {
      buffer.close();
    }
  });
}

async function withIndex(
  config: Config,
  act: (index: SearchIndex, store: Store) => Promise<void>,
): Promise<void> {
  const index = openSearchIndex(requireIndex(config), config.redis.namespace);
  const store = openStore(config.database, "writing");
  try {
    await act(index, store);
  } finally {
    await store.close();
    await index.close();
  }
}

/** Where the index is. @throws {OperatorError} where there is none */
function requireIndex({ search }: Config): string {
  if (search.elasticsearchUrl !== undefined) return search.elasticsearchUrl;
  throw new OperatorError("There is no search index: ELASTICSEARCH_URL is not set, MySQL answers searches.");
}

/** Aborts on the first Ctrl-C, so that what is in hand is finished; the second one ends the process. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  process.once("SIGINT", () => {
    stop.abort(new OperatorError("Broken off."));
  });
  return stop.signal;
}
