import { BufferUnavailableError } from "../buffer/connections.ts";
import type { Trouble } from "../buffer/processes.ts";
import type { Clock, FlushLog } from "./ports.ts";

const mostWords = 120;

/** Remembers what a flusher last met: whoever finds that nothing is flushed can then say why. */
export class LatestTrouble {
  readonly #clock: Clock;
  #latest: { readonly what: string; readonly atMs: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** As of now; nothing where there was none. */
  get view(): Trouble | undefined {
    return (
      this.#latest && { what: this.#latest.what, ageMs: Math.round(this.#clock.nowMs() - this.#latest.atMs) }
    );
  }

  /** A log that remembers each error that is told of in it. */
  heardIn(log: FlushLog): FlushLog {
    const note = (fields: object) => {
      if ("err" in fields) this.#latest = { what: wordsOf(fields.err), atMs: this.#clock.nowMs() };
    };
    return {
      debug(fields, message) {
        note(fields);
        log.debug(fields, message);
      },
      info: log.info.bind(log),
      warn(fields, message) {
        note(fields);
        log.warn(fields, message);
      },
      error(fields, message) {
        note(fields);
        log.error(fields, message);
      },
    };
  }
}

/** An error's number or code and its first words, without what a server quotes of the data. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, mostWords);
  const { errno, code, sqlMessage } = error as { errno?: unknown; code?: unknown; sqlMessage?: unknown };
  const isNumbered = typeof sqlMessage === "string" && typeof errno === "number";
  const name = isNumbered ? `MySQL ${errno}` : typeof code === "string" ? code : error.name;
  if (error instanceof BufferUnavailableError) return error.message.slice(0, mostWords);
  // A driver puts the statement into the message, and with it what it was to write.
  const words = isNumbered ? sqlMessage : "sql" in error ? "" : error.message;
  return `${name}: ${words.replace(/'[^']*'/g, "'…'")}`.replace(/(: |\.)$/, "").slice(0, mostWords);
}
