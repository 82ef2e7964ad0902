import { setTimeout as pause } from "node:timers/promises";

import type { Buffer } from "../../src/buffer/buffer.ts";
import type { StoreEvent } from "../observed/recorded.ts";
import type { Recorder } from "../observed/recorder.ts";
import { letAnHourPass } from "../support/hour.ts";
import type { Workspace } from "../support/workspace.ts";
import { increment } from "../support/counts.ts";
import type { Random } from "../support/random.ts";

const betweenMs = [1500, 5000] as const;
/** While something is away nothing is drained: then the visitors go on all the same. */
const longestMs = 4000;

/**
 * Times at which the visitors do nothing, so that all there is can reach MySQL. When it has, what a later loss of
 * Redis may take back is known to be no more than what comes after. At some of them, and in between, an hour passes.
 */
export class Lulls {
  readonly counts = new Map<string, number>();
  readonly #buffer: Buffer;
  readonly #workspace: Workspace;
  readonly #recorder: Recorder;
  readonly #random: Random;
  #acting = 0;
  #over: Promise<void> | undefined;

  constructor(buffer: Buffer, workspace: Workspace, recorder: Recorder, random: Random) {
    this.#buffer = buffer;
    this.#workspace = workspace;
    this.#recorder = recorder;
    this.#random = random;
  }

  /** Acts, but not while there is a lull. */
  async during(act: () => Promise<void>): Promise<void> {
    while (this.#over) await this.#over;
    this.#acting += 1;
    try {
      await act();
    } finally {
      this.#acting -= 1;
    }
  }

  /** Has one now and then until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(this.#random.integer(...betweenMs));
      if (this.#random.next() < 0.5) await this.#passHour("an hour passed under load");
      else await this.#lull();
    }
  }

  async #lull(): Promise<void> {
    let end = (): void => undefined;
    this.#over = new Promise((resolve) => (end = resolve));
    try {
      const isDrained = await this.#drained();
      increment(this.counts, isDrained ? "a lull, and all was drained" : "a lull that came to nothing");
      if (isDrained && this.#random.next() < 0.7) await this.#passHour("an hour passed at rest");
    } finally {
      this.#over = undefined;
      end();
    }
  }

  async #drained(): Promise<boolean> {
    const giveUpAtMs = performance.now() + longestMs;
    while (performance.now() < giveUpAtMs) {
      if (this.#acting === 0 && (await this.#noteIfDrained().catch(() => false))) return true;
      await pause(20);
    }
    return false;
  }

  async #noteIfDrained(): Promise<boolean> {
    const beganMs = performance.now();
    for (let partition = 0; partition < this.#buffer.partitions; partition += 1) {
      for (const list of ["chats", "messages"] as const)
        if ((await this.#buffer.batches.length(partition, list)) > 0) return false;
    }
    if (await this.#workspace.sql("removals").whereNull("finished_at").first("application_token"))
      return false;
    const drain: StoreEvent = { do: "drain" };
    this.#recorder.note("lulls", drain, beganMs);
    return true;
  }

  async #passHour(name: string): Promise<void> {
    // Redis may be away: then no hour has passed.
    const resting = await letAnHourPass(this.#workspace).catch(() => 0);
    if (resting > 0) increment(this.counts, name);
  }
}
