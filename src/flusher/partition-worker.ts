import type { Lease } from "../buffer/leases.ts";
import { OtherVersionError } from "../records/payload.ts";
import { FencedOffError } from "../store/fence.ts";
import { backoffMs } from "./backoff.ts";
import { AnotherRedisError, DrainStoppedError, LeaseLostError } from "./drain-errors.ts";
import { type HolderParts, LeaseHolder } from "./lease-holder.ts";
import type { Trigger } from "./ports.ts";
import { TriggerMailbox } from "./trigger-mailbox.ts";

export interface WorkerParts extends HolderParts {
  /**
   * Drains the partition under a lease until it has nothing more to do for the trigger. `isHeld` says by the
   * clock whether the lease can have expired, also to a process that was paused and has heard of nothing yet.
   */
  drain(lease: Lease, trigger: Trigger, signal: AbortSignal, isHeld: () => boolean): Promise<number>;
  /** Removes, under a lease, a bounded part of what lies beneath deleted records; answers whether more is left. */
  removeSome(lease: Lease): Promise<boolean>;
  /** Leaves the partition to a flusher that can read the records that are next. */
  standBack(): void;
}

function endsTenure(error: unknown): boolean {
  const ends = [LeaseLostError, FencedOffError, DrainStoppedError, AnotherRedisError];
  return ends.some((kind) => error instanceof kind);
}

/**
 * Serves one partition: waits for its lease, then drains at each trigger for as long as it holds it. It never
 * ends by a failure, only by its signal.
 */
export class PartitionWorker {
  readonly #parts: WorkerParts;
  readonly #mailbox = new TriggerMailbox();
  readonly #holder: LeaseHolder;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#holder = new LeaseHolder(parts);
  }

  post(trigger: Trigger): void {
    this.#mailbox.post(trigger);
  }

  /** Resolves after `stop` aborted, the batch in hand is finished and the lease given back. */
  async run(stop: AbortSignal): Promise<void> {
    const { log, partition } = this.#parts;
    await this.#holder.run(stop, async (lease, signal) => {
      log.info({ partition }, "draining this partition");
      // Whoever held the partition before may have left something.
      this.#mailbox.post("threshold");
      await this.#drainAtEachTrigger(lease, signal);
    });
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
        if (trigger) await this.#parts.drain(lease, trigger, signal, () => this.#holder.isHeld());
        hasMoreToRemove = await this.#parts.removeSome(lease);
        failures = 0;
      } catch (error) {
        // Whoever holds the partition next, and it may be this one, finds what is left of the trigger's work.
        if (error instanceof AnotherRedisError && trigger) this.#mailbox.post(trigger);
        if (endsTenure(error)) return;
        if (error instanceof OtherVersionError) {
          this.#parts.standBack();
          return;
        }
        if (trigger) this.#mailbox.post(trigger);
        this.#holder.report(error, "a drain failed; what it had in hand stays in the buffer");
        await clock.sleep(backoffMs(failures), signal);
        failures += 1;
      }
    }
  }
}
