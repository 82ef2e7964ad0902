import { createTask } from "node-cron";

const minuteMs = 60_000;
/** A tick that nobody ran is made good for a day; what runs more rarely waits for its next. */
const lookBackMs = 25 * 60 * minuteMs;

/**
 * When a job is due, by a cron expression in UTC: no summer time touches it. It is asked for the
 * latest tick that is past, and not waited for: so a clock that jumped, a process that slept or was not there
 * finds what it has missed.
 */
export class Ticks {
  readonly #task: ReturnType<typeof createTask>;
  readonly #seconds: readonly number[];

  constructor(expression: string) {
    this.#task = createTask(expression, () => undefined, { timezone: "Etc/UTC" });
    this.#seconds = expression.trim().split(/\s+/).length === 6 ? sixtySeconds : [0];
  }

  /** The latest tick at or before a time and after another, at most a day back. Unix milliseconds. */
  latest(nowMs: number, afterMs = 0): number | undefined {
    const earliestMs = Math.max(afterMs, nowMs - lookBackMs);
    for (let minute = nowMs - (nowMs % minuteMs); minute + minuteMs > earliestMs; minute -= minuteMs) {
      for (const second of this.#seconds) {
        const tick = minute + second * 1000;
        if (tick <= nowMs && tick > earliestMs && this.#task.match(new Date(tick))) return tick;
      }
    }
    return undefined;
  }

  /** The next tick after a time, at most so far ahead as a day. */
  next(nowMs: number): number | undefined {
    for (let minute = nowMs - (nowMs % minuteMs); minute <= nowMs + lookBackMs; minute += minuteMs) {
      for (const second of this.#seconds.toReversed()) {
        const tick = minute + second * 1000;
        if (tick > nowMs && this.#task.match(new Date(tick))) return tick;
      }
    }
    return undefined;
  }
}

/** The later ones first, as the latest tick is looked for. */
const sixtySeconds = Array.from({ length: 60 }, (_, second) => 59 - second);
