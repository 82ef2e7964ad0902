import type { Config } from "../config.ts";
import { compareAndMend } from "../flusher/index-workers.ts";
import { systemClock } from "../flusher/flusher.ts";
import { compare } from "../search/compare.ts";
import { rebuild } from "../search/rebuild.ts";
import { openSearchIndex, type SearchIndex } from "../search/search-index.ts";
import { openStore, type Store } from "../store/store.ts";
import { owedAmong } from "../flusher/owed-of-partition.ts";
import { OperatorError } from "./operator-error.ts";
import { openConfiguredBuffer } from "./parts.ts";
import { progressOf } from "./progress.ts";

/** Builds the search index anew from MySQL while writes go on; killed, it goes on where it was when run again. */
export async function runReindex(config: Config): Promise<void> {
  await withIndex(config, async (index, store) => {
    const total = await store.searching.estimateMessages();
    const progress = progressOf(process.stderr, { total, what: "messages" });
    const built = await rebuild({
      ...index,
      messages: store.searching,
      signal: stopSignal(),
      onProgress: (messages) => {
        progress.advance(messages);
      },
    });
    progress.done();
    const { index: name, messages, refused, isResumed } = built;
    console.log(
      `${name} is searched now: ${messages} messages${isResumed ? " since it was broken off" : ""}.`,
    );
    if (refused > 0) throw new OperatorError(`The index does not take ${refused} of them.`);
  });
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
  const { elasticsearchUrl } = config.search;
  if (elasticsearchUrl === undefined) {
    throw new OperatorError(
      "There is no search index: ELASTICSEARCH_URL is not set, MySQL answers searches.",
    );
  }
  const index = openSearchIndex(elasticsearchUrl, config.redis.namespace);
  const store = openStore(config.database, "writing");
  try {
    await act(index, store);
  } finally {
    await store.close();
    await index.close();
  }
}

/** Aborts on the first Ctrl-C, so that what is in hand is finished; the second one ends the process. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  process.once("SIGINT", () => {
    stop.abort(new OperatorError("Broken off; run again, a reindex goes on where it was."));
  });
  return stop.signal;
}
