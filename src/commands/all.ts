import { fork } from "node:child_process";

import type { Config } from "../config.ts";
import { Lifecycle } from "../lifecycle.ts";
import { createLogger } from "../telemetry.ts";
import { SupervisedProcess } from "./supervised-process.ts";

const roles = ["api", "flusher"] as const;

/**
 * Runs the API and a flusher, each as a process of its own, and starts one again that dies. Ends, with the
 * other, when one ends by itself before it said that it is ready, however long that took.
 */
export function runAll(config: Config, program: string): void {
  const logger = createLogger({ level: config.logLevel }).child({ role: "all" });
  const lifecycle = new Lifecycle(logger);
  lifecycle.stopOnSignals();
  for (const role of roles) {
    // In a session of its own, so that a terminal's Ctrl-C reaches only this process, which passes it on
    // once. Through the channel the child notices if this process is killed.
    const start = () => fork(program, [role], { detached: true });
    const supervised = new SupervisedProcess({ name: role, start, logger });
    lifecycle.onStop(role, () => supervised.stop());
    void supervised.run().then(async (code) => {
      await lifecycle.stop(`the ${role} process could not start`);
      process.exit(code);
    });
  }
}
