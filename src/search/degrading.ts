import { circuitBreaker, ConsecutiveBreaker, handleAll } from "cockatiel";

import type { Engine, Found, Search, SearchRequest } from "./search.ts";

/** What happens to the engine that should answer. */
export interface SearchLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** After so many failures in a row an engine is not asked any more… */
const failuresToOpen = 3;
/** …but for one search after this long, which decides whether it is asked again. */
const defaultRestMs = 5000;

/**
 * Asks one engine, and another where that one fails or is not worth asking. A search that is asked for
 * something no engine can do fails in both.
 */
export class DegradingSearch implements Search {
  readonly hasIndex = true;
  readonly #first: Engine;
  readonly #second: Engine;
  readonly #close: () => Promise<void>;
  readonly #circuit;

  constructor(
    first: Engine,
    second: Engine,
    log: SearchLog,
    { restMs = defaultRestMs, close }: { restMs?: number; close: () => Promise<void> },
  ) {
    this.#first = first;
    this.#second = second;
    this.#close = close;
    const breaker = new ConsecutiveBreaker(failuresToOpen);
    this.#circuit = circuitBreaker(handleAll, { halfOpenAfter: restMs, breaker });
    this.#circuit.onBreak((reason) => {
      const err = "error" in reason ? reason.error : undefined;
      log.warn({ engine: first.name, err }, `search is answered from ${second.name} for now`);
    });
    this.#circuit.onReset(() => {
      log.info({ engine: first.name }, `search is answered from ${first.name} again`);
    });
  }

  async find(request: SearchRequest): Promise<Found> {
    try {
      const hits = await this.#circuit.execute(() => this.#first.find(request));
      return { hits, engine: this.#first.name, degraded: false };
    } catch {
      // Why is in the log when the circuit opens; the one failure before that is nobody's business.
      return this.findWithoutIndex(request);
    }
  }

  async findWithoutIndex(request: SearchRequest): Promise<Found> {
    const hits = await this.#second.find(request);
    return { hits, engine: this.#second.name, degraded: true };
  }

  close(): Promise<void> {
    return this.#close();
  }
}
