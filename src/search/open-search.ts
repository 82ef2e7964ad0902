import { DegradingSearch, type SearchLog } from "./degrading.ts";
import { indexPrefix, openClient } from "./elastic-client.ts";
import { ElasticEngine } from "./elastic-engine.ts";
import type { Found, Search, SearchRequest } from "./search.ts";
import { type Candidates, StandIn } from "./stand-in.ts";

export interface SearchSettings {
  /** Where Elasticsearch is; without one MySQL answers every search. */
  readonly elasticsearchUrl: string | undefined;
  /** Tells installations apart that share an Elasticsearch. */
  readonly namespace: string;
}

/** A search in the index that has no answer by then is answered from MySQL. */
const elasticTimeoutMs = 1000;
/** A search in MySQL that is not done by then is given up. */
const standInDeadlineMs = 2500;

/** Opens what the API searches with. Neither Elasticsearch nor MySQL need be there yet. */
export function openSearch(settings: SearchSettings, messages: Candidates, log: SearchLog): Search {
  const standIn = new StandIn(messages, standInDeadlineMs);
  if (settings.elasticsearchUrl === undefined) return alone(standIn);
  const client = openClient(settings.elasticsearchUrl);
  const elastic = new ElasticEngine(client, indexPrefix(settings.namespace), elasticTimeoutMs);
  return new DegradingSearch(elastic, standIn, log, { close: () => client.close() });
}

function alone(engine: StandIn): Search {
  const find = async (request: SearchRequest): Promise<Found> => {
    return { hits: await engine.find(request), engine: engine.name, degraded: false };
  };
  return { hasIndex: false, find, findWithoutIndex: find, close: () => Promise.resolve() };
}
