import { hitsAmong } from "./hits.ts";
import { type Rank, ranks } from "./matching.ts";
import { type Engine, type Hit, SearchUnavailableError, type SearchRequest } from "./search.ts";

/** Reads the messages of a chat that may hold all terms, in pages by number; it may give more, never fewer. */
export interface Candidates {
  candidates(request: {
    token: string;
    chatNumber: number;
    after: number;
    terms: readonly string[];
    limit: number;
  }): Promise<readonly { number: number; body: string }[]>;
}

const pageSize = 1000;

/**
 * Searches a chat without an index: MySQL says which messages may match, the pure definition decides. It takes
 * longer the larger the chat is, and gives up after `deadlineMs`. What reading throws, it throws as it is.
 */
export class StandIn implements Engine {
  readonly name = "mysql";
  readonly #messages: Candidates;
  readonly #deadlineMs: number;

  constructor(messages: Candidates, deadlineMs: number) {
    this.#messages = messages;
    this.#deadlineMs = deadlineMs;
  }

  async find(request: SearchRequest): Promise<readonly Hit[]> {
    const best = new BestHits(request.limit);
    const except = new Set(request.except);
    const endsAtMs = performance.now() + this.#deadlineMs;
    for (let after = 0; ;) {
      const page = await this.#page(request, after);
      const wanted = page.filter(({ number }) => !except.has(number));
      for (const { number, rank } of await hitsAmong(wanted, request.query)) best.add(number, rank);
      const last = page.at(-1);
      if (last === undefined || page.length < pageSize || best.isComplete) return best.inOrder();
      if (performance.now() > endsAtMs) throw new SearchUnavailableError(this.name, "the chat is too large");
      after = last.number;
    }
  }

  #page({ token, chatNumber, query }: SearchRequest, after: number) {
    const terms = query.terms.map(({ text }) => text);
    return this.#messages.candidates({ token, chatNumber, after, terms, limit: pageSize });
  }
}

/** The first `limit` of all hits, which come by number: no more than that is kept of each rank. */
class BestHits {
  readonly #limit: number;
  readonly #byRank = new Map<Rank, number[]>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(number: number, rank: Rank): void {
    const numbers = this.#byRank.get(rank) ?? [];
    if (numbers.length < this.#limit) numbers.push(number);
    this.#byRank.set(rank, numbers);
  }

  /** Whether no later hit can come before those that are kept. */
  get isComplete(): boolean {
    return (this.#byRank.get(ranks.phrase)?.length ?? 0) >= this.#limit;
  }

  inOrder(): Hit[] {
    const hits = Object.values(ranks).flatMap((rank) =>
      (this.#byRank.get(rank) ?? []).map((number) => ({ number, rank })),
    );
    return hits.slice(0, this.#limit);
  }
}
