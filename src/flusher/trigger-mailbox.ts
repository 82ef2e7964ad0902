import type { Trigger } from "./ports.ts";

/** A person's wish goes first, then the minute, as both take everything; they cover a threshold. */
const urgency: readonly Trigger[] = ["manual", "minute", "threshold"];

/** Holds the triggers that came while a drain was running, each kind once. */
export class TriggerMailbox {
  readonly #waiting = new Set<Trigger>();
  #wake: (() => void) | undefined;

  post(trigger: Trigger): void {
    this.#waiting.add(trigger);
    this.#wake?.();
  }

  /** The most urgent trigger, as soon as there is one; nothing when the signal aborts. */
  async take(signal: AbortSignal): Promise<Trigger | undefined> {
    while (!signal.aborted) {
      const trigger = this.takeNow();
      if (trigger) return trigger;
      await this.#arrival(signal);
    }
    return undefined;
  }

  /** The most urgent trigger, if there is one already. */
  takeNow(): Trigger | undefined {
    const trigger = urgency.find((candidate) => this.#waiting.has(candidate));
    if (trigger) this.#waiting.delete(trigger);
    return trigger;
  }

  async #arrival(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = withResolver();
    this.#wake = resolve;
    signal.addEventListener("abort", resolve, { once: true });
    await promise;
    signal.removeEventListener("abort", resolve);
    this.#wake = undefined;
  }
}

function withResolver(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
