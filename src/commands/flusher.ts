import { schedule as scheduleTask } from "node-cron";

import type { Buffer } from "../buffer/buffer.ts";
import type { Config } from "../config.ts";
import { Flusher, systemClock } from "../flusher/flusher.ts";
import { IndexWorkers } from "../flusher/index-workers.ts";
import type { Membership } from "../flusher/membership.ts";
import { scheduledJobs } from "../jobs/jobs.ts";
import { Schedule } from "../jobs/schedule.ts";
import { Lifecycle, tellReady } from "../lifecycle.ts";
import { startRedisWatch } from "../ops/redis-watch.ts";
import { startSampler } from "../ops/sampler.ts";
import { openSearchIndex } from "../search/search-index.ts";
import type { Store } from "../store/store.ts";
import { createLogger, type Logger } from "../telemetry.ts";
import { openEngines, thresholdsOf } from "./parts.ts";

/** Runs a flusher until it is told to stop: woken by full lists, by a person, and every minute. */
export async function runFlusher(config: Config): Promise<void> {
  const logger = createLogger({ level: config.logLevel }).child({ role: "flusher" });
  const lifecycle = new Lifecycle(logger);
  lifecycle.stopOnSignals();
  const { buffer, store } = await openEngines(config, lifecycle, "draining");
  lifecycle.onStop("redis watch", await startRedisWatch(buffer, logger));
  const keepsIndex = config.search.elasticsearchUrl !== undefined;
  const settings = { thresholds: thresholdsOf(config), maxRows: config.flush.maxRows, keepsIndex };
  const flusher = new Flusher(buffer, store, settings, logger);
  lifecycle.onStop("flusher", () => flusher.stop());
  keepIndex(config, lifecycle, buffer, store, { log: logger, membership: flusher.membership });
  const minute = scheduleTask(
    config.flush.cron,
    () => {
      flusher.trigger("minute");
    },
    { timezone: "Etc/UTC" },
  );
  lifecycle.onStop("minute", () => minute.stop());
  lifecycle.onStop("history", startSampler(buffer, logger));
  await buffer.onWake((partition, reason) => {
    flusher.trigger(reason, partition);
  });
  // Before the rest is stopped: others need not wait for it to take over what is free by then.
  lifecycle.onStop("share", () => flusher.membership.leave());
  const schedule = new Schedule(scheduledJobs(config, buffer, store), buffer.jobs, logger);
  schedule.start();
  lifecycle.onStop("schedule", () => schedule.stop());
  logger.info({ partitions: buffer.partitions }, "flusher started");
  tellReady();
}

/** Keeps the search index, where there is to be one. */
function keepIndex(
  config: Config,
  lifecycle: Lifecycle,
  buffer: Buffer,
  store: Store,
  parts: { readonly log: Logger; readonly membership: Membership },
): void {
  const { elasticsearchUrl } = config.search;
  if (elasticsearchUrl === undefined) return;
  const index = openSearchIndex(elasticsearchUrl, config.redis.namespace);
  lifecycle.onStop("search index", () => index.close());
  const workers = new IndexWorkers(buffer, store, index, { ...parts, clock: systemClock });
  lifecycle.onStop("index workers", () => workers.stop());
}
