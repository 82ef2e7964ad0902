import cluster, { type Worker } from "node:cluster";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

import type { Buffer } from "../buffer/buffer.ts";
import type { Config } from "../config.ts";
import { EpochGuard, reportLoss } from "../epoch-guard.ts";
import { createAcceptor } from "../http/accept.ts";
import { createApp } from "../http/app.ts";
import type { ApiMiddleware } from "../http/context.ts";
import { createRateLimit } from "../http/middleware/rate-limit.ts";
import { createChanger } from "../http/change.ts";
import { createReader } from "../http/read-after-write.ts";
import { createSearcher } from "../http/searcher.ts";
import { createHttpServer } from "../http/server.ts";
import type { Services } from "../http/services.ts";
import { Lifecycle, tellReady } from "../lifecycle.ts";
import { createMetricsText } from "../ops/buffer-metrics.ts";
import { createOps } from "../ops/ops.ts";
import type { Check } from "../ops/engine-check.ts";
import { checkReadiness, checkSearch } from "../ops/readiness.ts";
import { startRedisWatch } from "../ops/redis-watch.ts";
import { startSampler } from "../ops/sampler.ts";
import { shareMetrics } from "../ops/worker-metrics.ts";
import { openSearch } from "../search/open-search.ts";
import { openSearchPing } from "../search/ping.ts";
import type { Search } from "../search/search.ts";
import type { Store } from "../store/store.ts";
import { createLogger, type Logger, Metrics } from "../telemetry.ts";
import { runApiWorkers } from "./api-workers.ts";
import { openEngines, searchSettingsOf, warnOfOnePartition } from "./parts.ts";

/** Runs the HTTP server until it is told to stop, in so many processes as are wanted. @throws where it cannot listen */
export async function runApi(config: Config, program: string): Promise<void> {
  if (config.http.workers > 1 && cluster.isPrimary) runApiWorkers(config, program);
  else await serve(config, cluster.worker);
}

/** Serves in this process, be it the only one or a worker. */
async function serve(config: Config, worker: Worker | undefined): Promise<void> {
  const logger = createLogger({ level: config.logLevel }).child({
    role: "api",
    ...(worker && { worker: worker.id }),
  });
  const lifecycle = new Lifecycle(logger);
  lifecycle.stopOnSignals({ isWorker: worker !== undefined });
  const { buffer, store } = await openEngines(config, lifecycle, "requests");
  const search = openSearch(searchSettingsOf(config), store.searching, logger);
  lifecycle.onStop("search", () => search.close());
  const metrics = new Metrics();
  const ping = openSearchPing(searchSettingsOf(config));
  if (ping) lifecycle.onStop("search ping", () => ping.close());
  const check = async () =>
    (await Promise.all([checkReadiness(buffer, store, false), checkSearch(ping)])).flat();
  const ops = createOps({ buffer, config, logger, check });
  const app = createApp({
    services: createServices(
      { buffer, store, search, check },
      worker ? shareMetrics(metrics) : () => metrics.text(),
      logger,
    ),
    config,
    logger,
    metrics,
    rateLimit: limitRequests(buffer, config, logger),
    ops: ops.middleware,
  });
  warnOfOnePartition(config, logger);
  lifecycle.onStop("redis watch", await startRedisWatch(buffer, logger));
  const server = createHttpServer(app);
  await listen(server, config.http);
  lifecycle.onStop("http", () => close(server));
  lifecycle.onStop("history", startSampler(buffer, logger));
  // Before the server: it waits for open answers, and those of the dashboard have no end.
  lifecycle.onStop("dashboard", ops.close);
  logger.info({ address: addressOf(server) }, "listening");
  tellReady();
}

/** The limit of requests; whom it refuses is remembered for the operators, who may let them in again. */
function limitRequests(buffer: Buffer, config: Config, logger: Logger): ApiMiddleware {
  const { middleware, unblock } = createRateLimit({
    redis: buffer.connection,
    namespace: config.redis.namespace,
    requestsPerMinute: config.http.rateLimitPerMinute,
    logger,
    onBlocked: (address, until) => {
      buffer.blockedAddresses.add({ address, until }).catch((err: unknown) => {
        logger.debug({ err }, "a blocked address is not remembered");
      });
    },
  });
  buffer.blockedAddresses.onRemoved((address) => {
    unblock(address)
      // A request that was refused meanwhile has put it there again.
      .then(() => buffer.blockedAddresses.forget(address))
      .catch((err: unknown) => {
        logger.warn({ err }, "an address could not be let in again");
      });
  });
  return middleware;
}

interface ServiceParts {
  readonly buffer: Buffer;
  readonly store: Store;
  readonly search: Search;
  /** Looks at every engine that is used. */
  readonly check: () => Promise<readonly Check[]>;
}

/** What the routes need, on real engines. */
export function createServices(
  { buffer, store, search, check }: ServiceParts,
  processMetrics: () => Promise<string>,
  logger: Logger,
): Services {
  const epochs = new EpochGuard(buffer, store, reportLoss(logger));
  const read = createReader(buffer, store);
  return {
    accept: createAcceptor(buffer, store, epochs),
    read,
    change: createChanger(buffer, store, read),
    search: createSearcher(buffer, store, read, search),
    readiness: (verbose) => checkReadiness(buffer, store, verbose),
    metrics: createMetricsText(buffer, check, processMetrics),
  };
}

async function listen(server: Server, { host, port }: Config["http"]): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Takes no new connection, ends idle ones, and resolves when the requests in hand are answered. */
async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeIdleConnections();
  });
}

function addressOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}
