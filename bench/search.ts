// Measures search on the engines that the environment names: REDIS_URL, DATABASE_…, ELASTICSEARCH_URL. What it
// makes there has names of its own and is removed. Arguments: how many messages, and how many for each way of
// indexing that is compared.
import { openBuffer } from "../src/buffer/buffer.ts";
import { OwedOfPartition } from "../src/flusher/owed-of-partition.ts";
import { ElasticEngine } from "../src/search/elastic-engine.ts";
import { Indexer } from "../src/search/indexer.ts";
import type { Engine } from "../src/search/search.ts";
import { roomyLimits } from "../test/support/buffers.ts";
import { queryOf, SearchStage } from "../test/search/search-stage.ts";
import { build, candidates, chat } from "./search-candidates.ts";
import { corpus, queries } from "./search-corpus.ts";

const [count = 100_000, compared = 30_000] = process.argv.slice(2).map(Number);
const searches = 400;

/** A MySQL without a message, to begin with an index that has none. */
const nothing = {
  find: () => Promise.resolve([]),
  page: () => Promise.resolve([]),
  tokens: () => Promise.resolve([]),
  hasApplication: () => Promise.resolve(false),
};

const stage = await SearchStage.open(process.env["ELASTICSEARCH_URL"] ?? "http://127.0.0.1:9200");
try {
  const bodies = corpus(count);
  console.log(`${count} messages of ${(bytesOf(bodies) / count).toFixed(0)} bytes in one chat\n`);
  await compareCandidates(bodies.slice(0, compared));
  await measureIndexing(bodies);
  await measureSearching(bodies);
} finally {
  await stage.close();
}

async function compareCandidates(bodies: readonly string[]): Promise<void> {
  console.log(
    `| ${bodies.length} documents, by \`_bulk\` alone | a second | index bytes per body byte | search p50, ms | p99, ms |`,
  );
  console.log("|---|---|---|---|---|");
  const asked = queries(bodies, searches);
  for (const [at, candidate] of candidates.entries()) {
    const index = `${stage.indices.alias}-bench-${at}`;
    const { documentsPerSecond, bytes } = await build(stage.client, index, candidate, bodies);
    const times = await timesOf(asked, (text) => stage.client.search(candidate.search(index, text)));
    const perByte = (bytes / bytesOf(bodies)).toFixed(2);
    console.log(
      `| ${candidate.name} | ${documentsPerSecond.toFixed(0)} | ${perByte} | ${percentiles(times)} |`,
    );
    await stage.client.indices.delete({ index });
  }
}

/** What is owed in Redis for rows in MySQL, against the same documents by `_bulk` alone. */
async function measureIndexing(bodies: readonly string[]): Promise<void> {
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
  console.log(`\n| ${count} documents indexed | a second |\n|---|---|`);
  console.log(
    `| through Sluice: owed, read from MySQL, \`_bulk\`, refreshed, settled | ${through.toFixed(0)} |`,
  );
  console.log(`| \`_bulk\` and refresh alone | ${alone.documentsPerSecond.toFixed(0)} |`);
}

async function measureSearching(bodies: readonly string[]): Promise<void> {
  const elastic = new ElasticEngine(stage.client, stage.indices.alias, 60_000);
  const asked = queries(bodies, searches);
  console.log(`\n| search in a chat of ${count} | p50, ms | p99, ms |\n|---|---|---|`);
  for (const [engine, some] of [
    [elastic, asked],
    [stage.standIn, asked.slice(0, 100)],
  ] as const) {
    console.log(`| ${engine.name} | ${percentiles(await timesOf(some, (text) => find(engine, text)))} |`);
  }
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

function percentiles(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => (sorted[Math.ceil(share * sorted.length) - 1] ?? 0).toFixed(1);
  return `${at(0.5)} | ${at(0.99)}`;
}

function bytesOf(bodies: readonly string[]): number {
  return bodies.reduce((total, body) => total + Buffer.byteLength(body), 0);
}

function ignore(): void {
  // Nobody looks at it.
}
