import { BufferUnavailableError } from "../buffer/connections.ts";
import type { Lease } from "../buffer/leases.ts";
import { classify } from "../store/failure.ts";
import type { Turns } from "./lease-turns.ts";
import type { Clock, FlushLog } from "./ports.ts";

/** Takes, keeps and gives back the lease of one partition. */
export interface LeaseKeeper {
  acquire(durationMs: number): Promise<Lease | undefined>;
  renew(lease: Lease, durationMs: number): Promise<boolean>;
  release(lease: Lease): Promise<void>;
}

export interface HolderParts {
  readonly partition: number;
  readonly leases: LeaseKeeper;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly log: FlushLog;
}

/** A holder that dies leaves its partition alone for this long at most. */
const leaseMs = 10_000;
const renewEveryMs = 3000;

/** Waits for its turn at a partition's lease, and has something done for as long as it holds it; again and again. */
export class LeaseHolder {
  readonly #parts: HolderParts;
  #heldUntilMs = 0;

  constructor(parts: HolderParts) {
    this.#parts = parts;
  }

  /**
   * Resolves after `stop` aborted, what was served is finished and the lease given back. The signal handed to
   * `serve` aborts as well when it is another's turn, and when the lease is lost or can no longer be relied upon.
   */
  async run(stop: AbortSignal, serve: (lease: Lease, signal: AbortSignal) => Promise<void>): Promise<void> {
    while (!stop.aborted) {
      const isTurn = await this.#parts.turns.turn(this.#parts.partition, stop);
      const lease = isTurn ? await this.#tryAcquire() : undefined;
      if (lease) await this.#hold(lease, stop, serve);
    }
  }

  /** Whether by the clock the lease cannot have expired, also to a process that was paused. */
  isHeld(): boolean {
    return this.#parts.clock.nowMs() < this.#heldUntilMs;
  }

  /** An outage passes by itself; anything else is for somebody to look at. */
  report(error: unknown, message: string): void {
    const { log, partition } = this.#parts;
    if (error instanceof BufferUnavailableError || classify(error) === "outage")
      log.warn({ partition, err: error }, message);
    else log.error({ partition, err: error }, message);
  }

  async #tryAcquire(): Promise<Lease | undefined> {
    const askedAtMs = this.#parts.clock.nowMs();
    try {
      const lease = await this.#parts.leases.acquire(leaseMs);
      this.#heldUntilMs = askedAtMs + leaseMs;
      return lease;
    } catch (error) {
      this.report(error, "the lease cannot be taken");
      return undefined;
    }
  }

  async #hold(
    lease: Lease,
    stop: AbortSignal,
    serve: (lease: Lease, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const tenure = new AbortController();
    const { turns, partition, leases } = this.#parts;
    const signal = AbortSignal.any([stop, tenure.signal, turns.tenure(partition)]);
    const keeping = this.#keep(lease, signal).finally(() => {
      tenure.abort();
    });
    await serve(lease, signal);
    tenure.abort();
    await keeping;
    await leases.release(lease).catch((error: unknown) => {
      this.report(error, "the lease cannot be given back");
    });
  }

  /** Resolves when the signal aborts, or the lease is lost or can no longer be relied upon. */
  async #keep(lease: Lease, signal: AbortSignal): Promise<void> {
    const { clock, leases, log, partition } = this.#parts;
    for (;;) {
      await clock.sleep(renewEveryMs, signal);
      if (signal.aborted) return;
      const askedAtMs = clock.nowMs();
      const renewed = await leases.renew(lease, leaseMs).catch((error: unknown) => {
        this.report(error, "the lease cannot be renewed");
        return this.isHeld() ? ("unknown" as const) : false;
      });
      if (renewed === false) {
        log.warn({ partition }, "the lease was lost");
        return;
      }
      if (renewed === true) this.#heldUntilMs = askedAtMs + leaseMs;
    }
  }
}
