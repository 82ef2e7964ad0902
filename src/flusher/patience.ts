import { BufferUnavailableError } from "../buffer/connections.ts";
import { classify, type FailureClass } from "../store/failure.ts";
import { backoffMs } from "./backoff.ts";
import { DrainStoppedError } from "./drain-errors.ts";
import type { Clock, FlushLog } from "./ports.ts";

interface PatienceParts {
  readonly clock: Clock;
  readonly log: FlushLog;
  /** Ends every wait. */
  readonly signal: AbortSignal;
}

/** Attempts at a batch that meets other transactions, before it is left to the next trigger. */
const contentionAttempts = 20;

/** Attempts at what the server refuses for a reason that is not known: a second or two, then it does not pass by itself. */
const unlistedAttempts = 5;

/** Waits out what passes by itself. */
export class Patience {
  readonly #parts: PatienceParts;

  constructor(parts: PatienceParts) {
    this.#parts = parts;
  }

  /**
   * Repeats a call through outages, without counting, through contention, and, unless it is told not to, some times
   * through what the server refuses for a reason that is not known.
   *
   * @throws {DrainStoppedError} when the signal aborts, or what the call throws that does not pass
   */
  async through<T>(call: () => Promise<T>, { mayPass = true } = {}): Promise<T> {
    const { clock, log, signal } = this.#parts;
    for (let attempt = 0; ; attempt += 1) {
      try {
        const result = await call();
        if (attempt > 0) log.info({ attempts: attempt + 1 }, "flushing goes on");
        return result;
      } catch (error) {
        const failure = failureClass(error);
        const attempts = attemptsAt(failure, mayPass);
        if (attempt + 1 >= attempts) throw error;
        // Why it waits may change: whoever asks what holds it up is told the latest.
        log[attempt === 0 ? "warn" : "debug"]({ failure, err: error }, "flushing waits");
      }
      if (!signal.aborted) await clock.sleep(backoffMs(attempt), signal);
      if (signal.aborted) throw new DrainStoppedError();
    }
  }
}

function failureClass(error: unknown): FailureClass {
  return error instanceof BufferUnavailableError ? "outage" : classify(error);
}

function attemptsAt(failure: FailureClass, mayPass: boolean): number {
  if (failure === "outage") return Infinity;
  if (failure === "contention") return contentionAttempts + 1;
  return failure === "unlisted" && mayPass ? unlistedAttempts : 1;
}
