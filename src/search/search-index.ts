import { indexPrefix, openClient } from "./elastic-client.ts";
import { IndexReader } from "./index-reader.ts";
import { IndexWriter } from "./index-writer.ts";
import { Indices } from "./indices.ts";

/** What those who keep the index have of Elasticsearch. */
export interface SearchIndex {
  readonly indices: Indices;
  readonly writer: IndexWriter;
  readonly reader: IndexReader;
  close(): Promise<void>;
}

/** Opens the index of an installation for keeping it. Elasticsearch need not be there yet. */
export function openSearchIndex(elasticsearchUrl: string, namespace: string): SearchIndex {
  const client = openClient(elasticsearchUrl);
  const indices = new Indices(client, indexPrefix(namespace));
  return {
    indices,
    writer: new IndexWriter(client),
    reader: new IndexReader(client, indices.alias),
    close: () => client.close(),
  };
}
