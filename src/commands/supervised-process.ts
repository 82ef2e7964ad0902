import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

import { ready } from "../lifecycle.ts";
import type { Logger } from "../telemetry.ts";

const restartDelayMs = 1000;

export interface SupervisedParts {
  /** What it is called in the log. */
  readonly name: string;
  /** Starts it, with a channel on which it tells that it is ready. */
  start(): ChildProcess;
  /** Told each time that it is ready. */
  onReady?(): void;
  readonly logger: Logger;
}

/** A process of Sluice that is started again, after a pause, whenever it dies. */
export class SupervisedProcess {
  readonly #parts: SupervisedParts;
  #child: ChildProcess | undefined;
  #isReady = false;
  #isStopping = false;

  constructor(parts: SupervisedParts) {
    this.#parts = parts;
  }

  /** Whether it runs and has said that it is ready. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /**
   * Resolves with its exit code when it ends by itself before it said that it is ready, however long that
   * took; never after `stop`.
   */
  async run(): Promise<number> {
    const { name, logger } = this.#parts;
    for (;;) {
      const child = this.#parts.start();
      this.#child = child;
      child.on("message", (message) => {
        if (message !== ready) return;
        this.#isReady = true;
        this.#parts.onReady?.();
      });
      const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
      const wasReady = this.isReady;
      this.#isReady = false;
      if (this.#hasStopped()) return new Promise(() => undefined);
      if (!wasReady && signal === null) return code ?? 1;
      logger.error({ process: name, code, signal }, "a process died; starting it again");
      await delay(restartDelayMs);
      if (this.#hasStopped()) return new Promise(() => undefined);
    }
  }

  /** As a call, since it changes while `run` waits. */
  #hasStopped(): boolean {
    return this.#isStopping;
  }

  /** Resolves when it has ended and is not started again. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const child = this.#child;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    await exited;
  }
}
