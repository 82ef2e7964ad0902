import type { estypes } from "@elastic/elasticsearch";

import { maxHits } from "./search.ts";

/**
 * How messages are indexed. The only searched field holds the marked text, cut into all its pieces of three
 * characters, with their positions: three-character pieces that follow each other are a substring, so a phrase
 * query is an exact test for one. Shorter forms have fields of their own, which need no positions.
 */

/** Grows with every change of the definition or of what `mark` answers: an older index is built anew. */
export const definitionVersion = 1;

const pieces = (length: number): estypes.AnalysisNGramTokenizer => ({
  type: "ngram",
  min_gram: length,
  max_gram: length,
});

const analyzer = (tokenizer: string): estypes.AnalysisAnalyzer => ({ type: "custom", tokenizer });

const settings: estypes.IndicesIndexSettings = {
  number_of_shards: 1,
  auto_expand_replicas: "0-1",
  // The indexer refreshes after each round, before it forgets what it wrote.
  refresh_interval: "-1",
  // A write that comes late finds that its message was deleted, for this long.
  gc_deletes: "1h",
  max_result_window: maxHits,
  analysis: {
    tokenizer: { one: pieces(1), two: pieces(2), three: pieces(3) },
    analyzer: { one: analyzer("one"), two: analyzer("two"), three: analyzer("three") },
  },
};

const short = (name: string): estypes.MappingTextProperty => ({
  type: "text",
  analyzer: name,
  index_options: "docs",
  norms: false,
});

const mappings: estypes.MappingTypeMapping = {
  dynamic: "strict",
  // Rebuilding reads MySQL; nobody reads a document.
  _source: { enabled: false },
  _routing: { required: true },
  properties: {
    token: { type: "keyword" },
    chat_number: { type: "long" },
    number: { type: "long" },
    /** Of the text as it was indexed, to see whether it is still that of the row. */
    digest: { type: "long", index: false },
    text: {
      type: "text",
      analyzer: "three",
      norms: false,
      fields: { one: short("one"), two: short("two") },
    },
  },
};

/** The template for every index whose name begins with the prefix. */
export function indexTemplate(prefix: string) {
  return {
    index_patterns: [`${prefix}-*`],
    // Above what an installation may have for everything.
    priority: 500,
    template: { settings, mappings: { ...mappings, _meta: { definition: definitionVersion } } },
  };
}
