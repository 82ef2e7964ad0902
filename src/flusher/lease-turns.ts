import { BufferUnavailableError } from "../buffer/connections.ts";
import { movesOf, type Sight } from "./fair-share.ts";
import type { Clock, FlushLog } from "./ports.ts";

/** Whose turn it is to hold a partition, of several that share them. */
export interface Turns {
  /** Resolves when the partition should be asked for; with false when the signal aborted before. */
  turn(partition: number, signal: AbortSignal): Promise<boolean>;
  /** A signal for the time from now on that aborts when the partition should be given back to another. */
  tenure(partition: number): AbortSignal;
}

export interface TurnsParts {
  /** Looks at who lives, and who holds what. */
  look(): Promise<Sight>;
  /** Whether a partition that could be taken can be drained; asked just before. */
  mayTake(partition: number): Promise<boolean>;
  readonly clock: Clock;
  readonly log: FlushLog;
}

const lookEveryMs = 1000;

/** Looks again and again at how the partitions are shared, and tells the holder of each what to do about it. */
export class LeaseTurns implements Turns {
  readonly #parts: TurnsParts;
  readonly #waiting = new Map<number, () => void>();
  readonly #tenures = new Map<number, AbortController>();
  #hasFailed = false;

  constructor(parts: TurnsParts) {
    this.#parts = parts;
  }

  /** Resolves after `stop` aborted. */
  async run(stop: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts;
    while (!stop.aborted) {
      try {
        await this.#look();
        this.#hasFailed = false;
      } catch (error) {
        if (!this.#hasFailed) report(log, error);
        this.#hasFailed = true;
      }
      await clock.sleep(lookEveryMs, stop);
    }
  }

  async turn(partition: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    await new Promise<void>((resolve) => {
      const end = () => {
        signal.removeEventListener("abort", end);
        this.#waiting.delete(partition);
        resolve();
      };
      signal.addEventListener("abort", end);
      this.#waiting.set(partition, end);
    });
    return !signal.aborted;
  }

  tenure(partition: number): AbortSignal {
    const controller = new AbortController();
    this.#tenures.set(partition, controller);
    return controller.signal;
  }

  async #look(): Promise<void> {
    const { take, giveBack } = movesOf(await this.#parts.look());
    for (const partition of giveBack) this.#tenures.get(partition)?.abort();
    await Promise.all(
      take.map(async (partition) => {
        if (this.#waiting.has(partition) && (await this.#parts.mayTake(partition))) {
          this.#waiting.get(partition)?.();
        }
      }),
    );
  }
}

function report(log: FlushLog, error: unknown): void {
  const message = "the lease cannot be taken";
  if (error instanceof BufferUnavailableError) log.warn({ err: error }, message);
  else log.error({ err: error }, message);
}
