import type { Client, estypes } from "@elastic/elasticsearch";

import type { MessageKey } from "./documents.ts";

/** A document as the index has it. */
export interface IndexedDocument extends MessageKey {
  readonly digest: number;
}

/** A stretch of an application's messages: beyond one, up to and with another, or up to the last. */
export interface Stretch {
  readonly token: string;
  readonly after: Place;
  readonly upTo: Place | undefined;
}

interface Place {
  readonly chatNumber: number;
  readonly number: number;
}

const pageSize = 5000;

/** Reads what an index holds, to compare it with MySQL. What was not refreshed is not seen. */
export class IndexReader {
  readonly #client: Client;
  readonly #index: string;

  constructor(client: Client, index: string) {
    this.#client = client;
    this.#index = index;
  }

  /** All documents of a stretch, by chat and number. */
  async stretch({ token, after, upTo }: Stretch): Promise<IndexedDocument[]> {
    const filter = [{ term: { token } }, beyond(after), ...(upTo ? [notBeyond(upTo)] : [])];
    const documents: IndexedDocument[] = [];
    for (let last: estypes.SortResults | undefined; ;) {
      const hits = await this.#search(token, filter, pageSize, last);
      documents.push(...hits.map((hit) => toIndexed(token, hit)));
      if (hits.length < pageSize) return documents;
      last = hits.at(-1)?.sort;
    }
  }

  /** Those documents of one application that there are, of at most 10,000. */
  async find(token: string, ids: readonly string[]): Promise<IndexedDocument[]> {
    const hits = await this.#search(token, [{ ids: { values: [...ids] } }], 10_000);
    return hits.map((hit) => toIndexed(token, hit));
  }

  /** At most `limit` tokens that documents have, above one. */
  async tokens(after: string, limit: number): Promise<string[]> {
    const answer = await this.#client.search({
      index: this.#index,
      size: 0,
      track_total_hits: false,
      aggs: {
        tokens: {
          composite: {
            size: limit,
            sources: [{ token: { terms: { field: "token" } } }],
            after: { token: after },
          },
        },
      },
    });
    const { buckets } = answer.aggregations?.["tokens"] as { buckets: { key: { token: string } }[] };
    return buckets.map(({ key }) => key.token);
  }

  async #search(
    token: string,
    filter: estypes.QueryDslQueryContainer[],
    size: number,
    after?: estypes.SortResults,
  ): Promise<estypes.SearchHit[]> {
    const { hits } = await this.#client.search({
      index: this.#index,
      routing: token,
      allow_partial_search_results: false,
      size,
      track_total_hits: false,
      _source: false,
      docvalue_fields: ["digest"],
      query: { bool: { filter } },
      sort: [{ chat_number: { order: "asc" } }, { number: { order: "asc" } }],
      ...(after && { search_after: after }),
    });
    return hits.hits;
  }
}

function beyond({ chatNumber, number }: Place): estypes.QueryDslQueryContainer {
  const sameChat = [{ term: { chat_number: chatNumber } }, { range: { number: { gt: number } } }];
  return {
    bool: { should: [{ range: { chat_number: { gt: chatNumber } } }, { bool: { filter: sameChat } }] },
  };
}

function notBeyond({ chatNumber, number }: Place): estypes.QueryDslQueryContainer {
  const sameChat = [{ term: { chat_number: chatNumber } }, { range: { number: { lte: number } } }];
  return {
    bool: { should: [{ range: { chat_number: { lt: chatNumber } } }, { bool: { filter: sameChat } }] },
  };
}

function toIndexed(token: string, { sort, fields }: estypes.SearchHit): IndexedDocument {
  const [chatNumber = 0, number = 0] = (sort ?? []).map(Number);
  const [digest] = (fields?.["digest"] ?? []) as number[];
  return { token, chatNumber, number, digest: digest ?? -1 };
}
