import type { Query, Rank } from "./matching.ts";

export type EngineName = "elasticsearch" | "mysql";

/** A search within one chat. */
export interface SearchRequest {
  readonly token: string;
  readonly chatNumber: number;
  readonly query: Query;
  /** Numbers to leave out: messages that are looked at elsewhere, as they are newer than any engine knows. */
  readonly except: readonly number[];
  /** How many hits are wanted, the best first; at most `maxHits`. */
  readonly limit: number;
}

/** Beyond this many hits no engine looks: deeper pages are refused before they are asked for. */
export const maxHits = 10_000;

export interface Hit {
  readonly number: number;
  readonly rank: Rank;
}

/** Something that finds messages which are in MySQL. */
export interface Engine {
  readonly name: EngineName;
  /**
   * The first `limit` messages that match, by rank and then by number.
   *
   * @throws {SearchUnavailableError} where it cannot answer, or not in time
   */
  find(request: SearchRequest): Promise<readonly Hit[]>;
}

/** Hits, and who found them. */
export interface Found {
  readonly hits: readonly Hit[];
  readonly engine: EngineName;
  /** Whether another engine should have answered and could not. */
  readonly degraded: boolean;
}

/** What the API searches with. */
export interface Search {
  /** Whether an index is asked, so that what is owed to it must be looked for elsewhere. */
  readonly hasIndex: boolean;
  /** @throws {SearchUnavailableError} where nobody can answer in time */
  find(request: SearchRequest): Promise<Found>;
  /** Searches MySQL itself, as the index is known to lack too much. @throws {SearchUnavailableError} */
  findWithoutIndex(request: SearchRequest): Promise<Found>;
  close(): Promise<void>;
}

/** Thrown where an engine cannot answer a search, or not in time. */
export class SearchUnavailableError extends Error {
  constructor(engine: EngineName, cause: unknown) {
    super(`${engine} cannot search: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = "SearchUnavailableError";
  }
}

/** The order of hits: the best rank first, then the lower number. */
export function compareHits(a: Hit, b: Hit): number {
  return a.rank - b.rank || a.number - b.number;
}
