import { schedule } from "node-cron";

import type { Config } from "../config.ts";
import { Flusher } from "../flusher/flusher.ts";
import { Lifecycle, tellReady } from "../lifecycle.ts";
import { createLogger } from "../telemetry.ts";
import { openEngines, thresholdsOf } from "./parts.ts";

/** Runs a flusher until it is told to stop: woken by full lists, by a person, and every minute. */
export async function runFlusher(config: Config): Promise<void> {
  const logger = createLogger({ level: config.logLevel }).child({ role: "flusher" });
  const lifecycle = new Lifecycle(logger);
  lifecycle.stopOnSignals();
  const { buffer, store } = await openEngines(config, lifecycle, "draining");
  const settings = { thresholds: thresholdsOf(config), maxRows: config.flush.maxRows };
  const flusher = new Flusher(buffer, store, settings, logger);
  lifecycle.onStop("flusher", () => flusher.stop());
  const minute = schedule(
    config.flush.cron,
    () => {
      flusher.trigger("minute");
    },
    { timezone: "Etc/UTC" },
  );
  lifecycle.onStop("schedule", () => minute.stop());
  await buffer.onWake((partition, reason) => {
    flusher.trigger(reason, partition);
  });
  logger.info({ partitions: buffer.partitions }, "flusher started");
  tellReady();
}
