import type { Client, estypes } from "@elastic/elasticsearch";

import { withoutQuotes } from "./elastic-client.ts";
import { lengthOf, type Query, type Rank, ranks } from "./matching.ts";
import { type Engine, type Hit, SearchUnavailableError, type SearchRequest } from "./search.ts";

type Clause = estypes.QueryDslQueryContainer;

/** Searches the index. An answer that is late, or that not every shard had a part in, is none. */
export class ElasticEngine implements Engine {
  readonly name = "elasticsearch";
  readonly #client: Client;
  readonly #alias: string;
  readonly #timeoutMs: number;

  constructor(client: Client, alias: string, timeoutMs: number) {
    this.#client = client;
    this.#alias = alias;
    this.#timeoutMs = timeoutMs;
  }

  async find(request: SearchRequest): Promise<readonly Hit[]> {
    const answer = await this.#client
      .search(searchBody(this.#alias, request, this.#timeoutMs), { requestTimeout: this.#timeoutMs })
      .catch((error: unknown) => {
        throw new SearchUnavailableError(this.name, withoutQuotes(error));
      });
    if (answer.timed_out || answer._shards.failed > 0) {
      throw new SearchUnavailableError(this.name, new Error("only a part of the index was searched"));
    }
    return answer.hits.hits.map(toHit);
  }
}

/** What is asked of the index; also for several searches in one call. */
export function searchBody(index: string, request: SearchRequest, timeoutMs: number): estypes.SearchRequest {
  const { token, chatNumber, query, except, limit } = request;
  return {
    index,
    routing: token,
    allow_partial_search_results: false,
    timeout: `${timeoutMs}ms`,
    size: limit,
    track_total_hits: false,
    _source: false,
    query: {
      bool: {
        filter: [
          { term: { token } },
          { term: { chat_number: chatNumber } },
          ...query.terms.map(({ inside }) => contains(inside)),
        ],
        ...(except.length > 0 && { must_not: [{ terms: { number: [...except] } }] }),
        should: [rankClause(query)],
      },
    },
    sort: [{ _score: { order: "desc" } }, { number: { order: "asc" } }],
  };
}

/** Scores what matches by how well it does: the worst rank has no score. */
function rankClause({ terms, phrase }: Query): Clause {
  const score = (rank: Rank, forms: readonly string[]): Clause => ({
    constant_score: { filter: { bool: { filter: forms.map(contains) } }, boost: ranks.inside - rank },
  });
  return {
    dis_max: {
      queries: [
        score(ranks.phrase, [phrase]),
        score(
          ranks.words,
          terms.map(({ whole }) => whole),
        ),
        score(
          ranks.starts,
          terms.map(({ start }) => start),
        ),
      ],
    },
  };
}

/** Whether the marked text contains a form. Exact: positions of pieces count characters. */
function contains(form: string): Clause {
  switch (lengthOf(form)) {
    case 1:
      return { term: { "text.one": form } };
    case 2:
      return { term: { "text.two": form } };
    default:
      return { match_phrase: { text: form } };
  }
}

function toHit({ sort }: estypes.SearchHit): Hit {
  const [score, number] = (sort ?? []).map(Number);
  if (score === undefined || number === undefined) throw new Error("a hit without its sort values");
  return { number, rank: (ranks.inside - score) as Rank };
}
