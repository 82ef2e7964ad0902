import { openBuffer } from "../src/buffer/buffer.ts";
import { OwedOfPartition } from "../src/flusher/owed-of-partition.ts";
import { ElasticEngine } from "../src/search/elastic-engine.ts";
import { Indexer } from "../src/search/indexer.ts";
import type { Engine } from "../src/search/search.ts";
import { roomyLimits } from "../test/support/buffers.ts";
import { askElasticsearch, elasticsearchUrl, startTimeoutMs } from "../test/support/elasticsearch.ts";
import { waitFor } from "../test/support/wait-for.ts";
import { queryOf, SearchStage } from "../test/search/search-stage.ts";
import { build, candidates, chat } from "./search-candidates.ts";
import { corpus, queries } from "./search-corpus.ts";
import type { Benchmark, Findings, Settings } from "./support/benchmark.ts";
import { quantile } from "./support/statistics.ts";
import { figure, type Table } from "./support/table.ts";

const searches = 400;

/** A MySQL without a message, to begin with an index that has none. */
const nothing = {
  find: () => Promise.resolve([]),
  page: () => Promise.resolve([]),
  tokens: () => Promise.resolve([]),
  hasApplication: () => Promise.resolve(false),
};

export const search: Benchmark = {
  name: "search",
  about: "ways to index, indexing through Sluice, and Elasticsearch against MySQL",
  options: {
    messages: { about: "messages of one chat", value: "100000" },
    compared: { about: "messages for each way of indexing that is compared", value: "20000" },
  },
  async run(settings) {
    await waitFor(
      async () => (await askElasticsearch("/_cluster/health?wait_for_status=yellow&timeout=1s")).ok,
      {
        what: "Elasticsearch",
        timeoutMs: startTimeoutMs,
      },
    );
    const stage = await SearchStage.open(elasticsearchUrl());
    try {
      return await run(stage, settings);
    } finally {
      await stage.close();
    }
  },
};

async function run(stage: SearchStage, settings: Settings): Promise<Findings> {
  const bodies = corpus(settings.number("messages"));
  const compared = await compareCandidates(stage, bodies.slice(0, settings.number("compared")));
  const indexed = await measureIndexing(stage, bodies);
  const searched = await measureSearching(stage, bodies);
  const bytes = figure(bytesOf(bodies) / bodies.length);
  return {
    conditions:
      `${figure(bodies.length)} messages of ${bytes} bytes, one in ten not ASCII alone, all in one chat; the queries ` +
      "are words, starts of words, pieces from inside words, and two words at a time.",
    tables: [compared, indexed, searched],
    figures: {},
  };
}

async function compareCandidates(stage: SearchStage, bodies: readonly string[]): Promise<Table> {
  const asked = queries(bodies, searches);
  const rows: string[][] = [];
  for (const [at, candidate] of candidates.entries()) {
    const index = `${stage.indices.alias}-bench-${at}`;
    const { documentsPerSecond, bytes } = await build(stage.client, index, candidate, bodies);
    const times = await timesOf(asked, (text) => stage.client.search(candidate.search(index, text)));
    rows.push([
      candidate.name,
      figure(Math.round(documentsPerSecond)),
      (bytes / bytesOf(bodies)).toFixed(2),
      ...percentiles(times),
    ]);
    await stage.client.indices.delete({ index });
  }
  return {
    title: `${figure(bodies.length)} documents, by \`_bulk\` alone`,
    head: ["a second", "index bytes per body byte", "search p50, ms", "p99, ms"],
    rows,
  };
}

/** What is owed in Redis for rows in MySQL, against the same documents by `_bulk` alone. */
async function measureIndexing(stage: SearchStage, bodies: readonly string[]): Promise<Table> {
  const count = bodies.length;
  await stage.insert(bodies.map((body, at) => ({ ...chat, number: at + 1, body })));
  await stage.rebuild({ messages: nothing });
  const settings = { ...stage.workspace.config.redis, limits: roomyLimits, mostOwed: count + 1 };
  const buffer = await openBuffer(settings, "draining");
  for (let from = 0; from < count; from += 1000) {
    const some = bodies.slice(from, from + 1000).map((_, at) => ({ ...chat, number: from + at + 1 }));
    await buffer.owed.owe(0, some);
  }
  const indexer = new Indexer({
    owed: new OwedOfPartition(buffer, 0),
    messages: stage.store.searching,
    indices: stage.indices,
    writer: stage.writer,
    clock: { nowMs: () => performance.now(), sleep: () => Promise.resolve() },
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    backoffMs: () => 0,
    isOutage: () => true,
  });
  const startedAtMs = performance.now();
  while (await indexer.round());
  const through = count / ((performance.now() - startedAtMs) / 1000);
  const left = (await buffer.owed.totals(0)).documents;
  buffer.close();
  if (left > 0) throw new Error(`${left} documents are still owed`);
  const [chosen] = candidates;
  if (!chosen) throw new Error("nothing was chosen");
  const alone = await build(stage.client, `${stage.indices.alias}-bench-alone`, chosen, bodies);
  return {
    title: `${figure(count)} documents indexed`,
    head: ["a second"],
    rows: [
      ["through Sluice: owed, read from MySQL, `_bulk`, refreshed, settled", figure(Math.round(through))],
      ["`_bulk` and refresh alone", figure(Math.round(alone.documentsPerSecond))],
    ],
  };
}

async function measureSearching(stage: SearchStage, bodies: readonly string[]): Promise<Table> {
  const elastic = new ElasticEngine(stage.client, stage.indices.alias, 60_000);
  const asked = queries(bodies, searches);
  const rows: string[][] = [];
  for (const [name, engine, some] of [
    ["Elasticsearch", elastic, asked],
    ["MySQL, the stand-in", stage.standIn, asked.slice(0, 100)],
  ] as const) {
    rows.push([name, ...percentiles(await timesOf(some, (text) => find(engine, text)))]);
  }
  return { title: `search in a chat of ${figure(bodies.length)}`, head: ["p50, ms", "p99, ms"], rows };
}

function find(engine: Engine, text: string) {
  return engine.find({ ...chat, query: queryOf(text), except: [], limit: 11 });
}

async function timesOf(
  asked: readonly string[],
  search: (text: string) => Promise<unknown>,
): Promise<number[]> {
  // The first few are about caches and compilers.
  for (const text of asked.slice(0, 20)) await search(text);
  const times: number[] = [];
  for (const text of asked) {
    const startedAtMs = performance.now();
    await search(text);
    times.push(performance.now() - startedAtMs);
  }
  return times;
}

function percentiles(times: readonly number[]): string[] {
  return [0.5, 0.99].map((share) => quantile(times, share).toFixed(1));
}

function bytesOf(bodies: readonly string[]): number {
  return bodies.reduce((total, body) => total + Buffer.byteLength(body), 0);
}

function ignore(): void {
  // Nobody looks at it.
}
