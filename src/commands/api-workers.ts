import cluster from "node:cluster";

import type { Config } from "../config.ts";
import { Lifecycle, tellReady } from "../lifecycle.ts";
import { WorkersMetrics } from "../ops/worker-metrics.ts";
import { createLogger } from "../telemetry.ts";
import { SupervisedProcess } from "./supervised-process.ts";

/**
 * Runs the API as several processes on one port, until it is told to stop. This one holds the port, hands each
 * connection to the next worker in turn, and starts a worker again that dies. Ends, with the others, when one ends
 * by itself before it said that it is ready.
 */
export function runApiWorkers(config: Config, program: string): void {
  const { workers } = config.http;
  const logger = createLogger({ level: config.logLevel }).child({ role: "api", worker: "primary" });
  const lifecycle = new Lifecycle(logger);
  lifecycle.stopOnSignals();
  cluster.schedulingPolicy = cluster.SCHED_RR;
  cluster.setupPrimary({ exec: program, args: ["api"] });
  const metrics = new WorkersMetrics();
  const start = () => {
    const worker = cluster.fork();
    metrics.add(worker);
    return worker.process;
  };
  const all: readonly SupervisedProcess[] = Array.from(
    { length: workers },
    () => new SupervisedProcess({ name: "api worker", start, onReady, logger }),
  );
  function onReady(): void {
    if (!all.every(({ isReady }) => isReady)) return;
    logger.info({ workers }, "all workers listen");
    tellReady();
  }
  lifecycle.onStop("workers", async () => {
    await Promise.all(all.map((supervised) => supervised.stop()));
  });
  for (const supervised of all) {
    void supervised.run().then(async (code) => {
      await lifecycle.stop("a worker could not start");
      process.exit(code);
    });
  }
}
