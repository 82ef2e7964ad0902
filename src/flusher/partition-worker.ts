import { BufferUnavailableError } from "../buffer/connections.ts";
import type { Lease } from "../buffer/leases.ts";
import { classify } from "../store/failure.ts";
import { FencedOffError } from "../store/fence.ts";
import { backoffMs } from "./backoff.ts";
import { DrainStoppedError, LeaseLostError } from "./drain.ts";
import type { Clock, FlushLog, Trigger } from "./ports.ts";
import { TriggerMailbox } from "./trigger-mailbox.ts";

/** Takes, keeps and gives back the lease of one partition. */
export interface LeaseKeeper {
  acquire(durationMs: number): Promise<Lease | undefined>;
  renew(lease: Lease, durationMs: number): Promise<boolean>;
  release(lease: Lease): Promise<void>;
}

export interface WorkerParts {
  readonly partition: number;
  readonly leases: LeaseKeeper;
  /**
   * Drains the partition under a lease until it has nothing more to do for the trigger. `isHeld` says by the
   * clock whether the lease can have expired, also to a process that was paused and has heard of nothing yet.
   */
  drain(lease: Lease, trigger: Trigger, signal: AbortSignal, isHeld: () => boolean): Promise<number>;
  /** Removes a bounded part of what lies beneath deleted records; answers whether more is left. */
  removeSome(): Promise<boolean>;
  readonly clock: Clock;
  readonly log: FlushLog;
}

function endsTenure(error: unknown): boolean {
  return [LeaseLostError, FencedOffError, DrainStoppedError].some((kind) => error instanceof kind);
}

/** A flusher that dies leaves its partition alone for this long at most. */
const leaseMs = 10_000;
const renewEveryMs = 3000;
const askAgainMs = 1000;

/**
 * Serves one partition: waits for its lease, then drains at each trigger for as long as it holds it. It never
 * ends by a failure, only by its signal.
 */
export class PartitionWorker {
  readonly #parts: WorkerParts;
  readonly #mailbox = new TriggerMailbox();
  #heldUntilMs = 0;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
  }

  post(trigger: Trigger): void {
    this.#mailbox.post(trigger);
  }

  /** Resolves after `stop` aborted, the batch in hand is finished and the lease given back. */
  async run(stop: AbortSignal): Promise<void> {
    const { clock, log, partition } = this.#parts;
    while (!stop.aborted) {
      const lease = await this.#tryAcquire();
      if (!lease) {
        await clock.sleep(askAgainMs, stop);
        continue;
      }
      log.info({ partition }, "draining this partition");
      await this.#serve(lease, stop);
    }
  }

  async #tryAcquire(): Promise<Lease | undefined> {
    const askedAtMs = this.#parts.clock.nowMs();
    try {
      const lease = await this.#parts.leases.acquire(leaseMs);
      this.#heldUntilMs = askedAtMs + leaseMs;
      return lease;
    } catch (error) {
      this.#report(error, "the lease cannot be taken");
      return undefined;
    }
  }

  async #serve(lease: Lease, stop: AbortSignal): Promise<void> {
    const tenure = new AbortController();
    const signal = AbortSignal.any([stop, tenure.signal]);
    const keeping = this.#keep(lease, signal).finally(() => {
      tenure.abort();
    });
    // Whoever held the partition before may have left something.
    this.#mailbox.post("threshold");
    await this.#drainAtEachTrigger(lease, signal);
    tenure.abort();
    await keeping;
    await this.#parts.leases.release(lease).catch((error: unknown) => {
      this.#report(error, "the lease cannot be given back");
    });
  }

  #isHeld(): boolean {
    return this.#parts.clock.nowMs() < this.#heldUntilMs;
  }

  /** Resolves when the signal aborts, or the lease is lost or can no longer be relied upon. */
  async #keep(lease: Lease, signal: AbortSignal): Promise<void> {
    const { clock, leases, log, partition } = this.#parts;
    for (;;) {
      await clock.sleep(renewEveryMs, signal);
      if (signal.aborted) return;
      const askedAtMs = clock.nowMs();
      const renewed = await leases.renew(lease, leaseMs).catch((error: unknown) => {
        this.#report(error, "the lease cannot be renewed");
        return this.#isHeld() ? ("unknown" as const) : false;
      });
      if (renewed === false) {
        log.warn({ partition }, "the lease was lost");
        return;
      }
      if (renewed === true) this.#heldUntilMs = askedAtMs + leaseMs;
    }
  }

  /**
   * Drains at each trigger and removes in between, never both at a time: a batch in hand may hold records of
   * what is being removed, and once written they must still be found.
   */
  async #drainAtEachTrigger(lease: Lease, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    let [failures, hasMoreToRemove] = [0, true];
    while (!signal.aborted) {
      const trigger = hasMoreToRemove ? this.#mailbox.takeNow() : await this.#mailbox.take(signal);
      try {
        if (trigger) await this.#parts.drain(lease, trigger, signal, () => this.#isHeld());
        hasMoreToRemove = await this.#parts.removeSome();
        failures = 0;
      } catch (error) {
        if (endsTenure(error)) return;
        if (trigger) this.#mailbox.post(trigger);
        this.#report(error, "a drain failed; what it had in hand stays in the buffer");
        await clock.sleep(backoffMs(failures), signal);
        failures += 1;
      }
    }
  }

  /** An outage passes by itself; anything else is for somebody to look at. */
  #report(error: unknown, message: string): void {
    const { log, partition } = this.#parts;
    if (error instanceof BufferUnavailableError || classify(error) === "outage")
      log.warn({ partition, err: error }, message);
    else log.error({ partition, err: error }, message);
  }
}
