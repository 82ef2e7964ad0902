import type { Client, estypes } from "@elastic/elasticsearch";

import { toDocument } from "../src/search/documents.ts";
import { searchBody } from "../src/search/elastic-engine.ts";
import { indexTemplate } from "../src/search/index-definition.ts";
import { fold, parseQuery } from "../src/search/matching.ts";

/** A way of indexing texts so that what is inside a word is found. */
export interface Candidate {
  readonly name: string;
  readonly definition: { settings: estypes.IndicesIndexSettings; mappings: estypes.MappingTypeMapping };
  document(number: number, body: string): object;
  search(index: string, text: string): estypes.SearchRequest;
}

const token = "b".repeat(22);
export const chat = { token, chatNumber: 1 };

const key: Record<string, estypes.MappingProperty> = {
  token: { type: "keyword" },
  chat_number: { type: "long" },
  number: { type: "long" },
};

const common: estypes.IndicesIndexSettings = {
  number_of_shards: 1,
  number_of_replicas: 0,
  refresh_interval: "-1",
};

/** Searches a field by one clause a term; as the others do, it asks for one chat and the first page. */
function plain(index: string, clauses: estypes.QueryDslQueryContainer[]): estypes.SearchRequest {
  const filter = [{ term: { token } }, { term: { chat_number: 1 } }, ...clauses];
  const sort: estypes.Sort = [{ number: { order: "asc" } }];
  return { index, routing: token, size: 11, track_total_hits: false, query: { bool: { filter } }, sort };
}

const { template } = indexTemplate("any");

const pieces: Candidate = {
  name: "pieces of three with positions, fields for one and two (chosen)",
  definition: { ...template, settings: { ...template.settings, number_of_replicas: 0 } },
  document: (number, body) => toDocument({ ...chat, number, body }),
  search(index, text) {
    const parsed = parseQuery(text);
    if (parsed.kind !== "query") throw new Error(parsed.kind);
    return searchBody(index, { ...chat, query: parsed.query, except: [], limit: 11 }, 60_000);
  },
};

const filter: Candidate = {
  name: "words and all their pieces of 1 to 20 (n-gram filter)",
  definition: {
    settings: {
      ...common,
      max_ngram_diff: 19,
      analysis: {
        filter: { parts: { type: "ngram", min_gram: 1, max_gram: 20, preserve_original: true } },
        analyzer: {
          parts: { type: "custom", tokenizer: "standard", filter: ["lowercase", "asciifolding", "parts"] },
          whole: { type: "custom", tokenizer: "standard", filter: ["lowercase", "asciifolding"] },
        },
      },
    },
    mappings: {
      _source: { enabled: false },
      properties: {
        ...key,
        text: {
          type: "text",
          analyzer: "parts",
          search_analyzer: "whole",
          norms: false,
          index_options: "docs",
        },
      },
    },
  },
  document: (number, body) => ({ token, chat_number: 1, number, text: body }),
  search: (index, text) => plain(index, [{ match: { text: { query: text, operator: "and" } } }]),
};

const wildcard: Candidate = {
  name: "words as keywords, asked by `*…*` (wildcard query)",
  definition: {
    settings: common,
    mappings: {
      _source: { enabled: false },
      properties: { ...key, text: { type: "keyword", doc_values: false } },
    },
  },
  document: (number, body) => ({ token, chat_number: 1, number, text: fold(body).split(" ") }),
  search: (index, text) =>
    plain(
      index,
      fold(text)
        .split(" ")
        .map((term) => ({ wildcard: { text: { value: `*${term.replace(/[\\*?]/g, "\\$&")}*` } } })),
    ),
};

export const candidates: readonly Candidate[] = [pieces, filter, wildcard];

export interface Built {
  readonly documentsPerSecond: number;
  readonly bytes: number;
}

const atOnce = 2000;

/** Makes an index by plain `_bulk` calls, one after the other, as few and as large as the indexer's. */
export async function build(
  client: Client,
  index: string,
  candidate: Candidate,
  bodies: readonly string[],
): Promise<Built> {
  await client.indices.create({ index, ...candidate.definition });
  const startedAtMs = performance.now();
  for (let from = 0; from < bodies.length; from += atOnce) {
    const operations = bodies.slice(from, from + atOnce).flatMap((body, at) => {
      const number = from + at + 1;
      const _id = `${token}:1:${number}`;
      const target = { _id, routing: token, version: 1, version_type: "external" as const };
      return [{ index: target }, candidate.document(number, body)];
    });
    const { errors } = await client.bulk({ index, operations });
    if (errors) throw new Error(`${candidate.name} refuses documents`);
    await client.indices.refresh({ index });
  }
  const seconds = (performance.now() - startedAtMs) / 1000;
  await client.indices.forcemerge({ index, max_num_segments: 1 });
  await client.indices.flush({ index });
  const { indices } = await client.indices.stats({ index, metric: "store" });
  return {
    documentsPerSecond: bodies.length / seconds,
    bytes: indices?.[index]?.total?.store?.size_in_bytes ?? 0,
  };
}
