import type { Logger } from "pino";

interface Stage {
  readonly name: string;
  readonly stop: () => void | Promise<void>;
}

/** Within this a process must have stopped; it stays below the 30 s that container platforms allow. */
const stopDeadlineMs = 20_000;

const parentGone = "the parent process is gone";

/** What a process tells the one that started it, once everything has started. */
export const ready = "ready";

/** Tells the process that forked this one, if one did and is still there, that everything has started. */
export function tellReady(): void {
  if (process.connected) process.send?.(ready, undefined, undefined, ignore);
}

/** For a parent that cannot be told, as its death is noticed elsewhere; and for signals that it passes on. */
function ignore(): void {
  // Nothing is to be done here.
}

/**
 * What was started, to be stopped in reverse order: once, inside a deadline. A stage that fails to stop does
 * not keep the others from it.
 */
export class Lifecycle {
  readonly #log: Logger;
  readonly #stages: Stage[] = [];
  #stopping: Promise<void> | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Registers how to stop what was just started. */
  onStop(name: string, stop: Stage["stop"]): void {
    this.#stages.push({ name, stop });
  }

  /** Resolves when everything is stopped; a second call waits for the first. */
  stop(reason: string): Promise<void> {
    this.#stopping ??= this.#stop(reason);
    return this.#stopping;
  }

  /**
   * Stops on SIGINT, SIGTERM, or the death of the parent process, then exits with 0. A second signal, or the
   * deadline, exits with 1 at once: nothing accepted is in this process' memory.
   *
   * A worker leaves what a terminal or a service manager sends to all processes to its primary: it stops on
   * SIGTERM alone, and once. A primary that leaves at once takes its workers along.
   */
  stopOnSignals({ isWorker = false } = {}): void {
    const stopThenExit = (reason: string) => {
      if (this.#stopping) {
        if (isWorker) return;
        this.#log.warn({ reason }, "told to stop again: leaving at once");
        process.exit(1);
      }
      setTimeout(() => {
        this.#log.error({ deadlineMs: stopDeadlineMs }, "did not stop in time");
        process.exit(1);
      }, stopDeadlineMs).unref();
      void this.stop(reason).then(() => process.exit(0));
    };
    process.on("SIGINT", isWorker ? ignore : stopThenExit);
    process.on("SIGTERM", stopThenExit);
    if (process.send && !process.connected) stopThenExit(parentGone);
    if (process.channel) {
      process.once("disconnect", () => {
        if (!this.#stopping) stopThenExit(parentGone);
      });
      process.channel.unref();
    }
  }

  async #stop(reason: string): Promise<void> {
    this.#log.info({ reason }, "stopping");
    for (const { name, stop } of this.#stages.reverse()) {
      try {
        await stop();
        this.#log.debug({ stage: name }, "stopped");
      } catch (error) {
        this.#log.error({ stage: name, err: error }, "a part did not stop cleanly");
      }
    }
    this.#log.info("stopped");
  }
}
