import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

import type { Config } from "../config.ts";
import { Lifecycle } from "../lifecycle.ts";
import { createLogger, type Logger } from "../telemetry.ts";

const roles = ["api", "flusher"] as const;

const restartDelayMs = 1000;

/**
 * Runs the API and a flusher, each as a process of its own, and starts one again that dies. Ends, with the
 * other, when one ends by itself before it said that it is ready, however long that took.
 */
export function runAll(config: Config, program: string): void {
  const logger = createLogger({ level: config.logLevel }).child({ role: "all" });
  const lifecycle = new Lifecycle(logger);
  lifecycle.stopOnSignals();
  for (const role of roles) {
    const supervised = new SupervisedProcess(program, role, logger);
    lifecycle.onStop(role, () => supervised.stop());
    void supervised.run().then(async (code) => {
      await lifecycle.stop(`the ${role} process could not start`);
      process.exit(code);
    });
  }
}

class SupervisedProcess {
  readonly #program: string;
  readonly #role: string;
  readonly #logger: Logger;
  #child: ChildProcess | undefined;
  #isStopping = false;

  constructor(program: string, role: string, logger: Logger) {
    this.#program = program;
    this.#role = role;
    this.#logger = logger;
  }

  /** Resolves with its exit code when the process fails to start; never after `stop`. */
  async run(): Promise<number> {
    for (;;) {
      // In a session of its own, so that a terminal's Ctrl-C reaches only this process, which passes it on
      // once. Through the channel the child notices if this process is killed.
      const child = fork(this.#program, [this.#role], { detached: true });
      this.#child = child;
      const life = { isReady: false };
      child.once("message", () => (life.isReady = true));
      const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
      if (this.#hasStopped()) return new Promise(() => undefined);
      if (!life.isReady && signal === null) return code ?? 1;
      this.#logger.error({ process: this.#role, code, signal }, "a process died; starting it again");
      await delay(restartDelayMs);
      if (this.#hasStopped()) return new Promise(() => undefined);
    }
  }

  /** As a call, since it changes while `run` waits. */
  #hasStopped(): boolean {
    return this.#isStopping;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    const child = this.#child;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    await exited;
  }
}
