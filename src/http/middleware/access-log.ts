import { LRUCache } from "lru-cache";
import { applicationFingerprint, type Logger, type Metrics } from "../../telemetry.ts";
import type { ApiMiddleware } from "../context.ts";
import { templateOf } from "../paths.ts";
import { isProbe } from "../routes.ts";

const knownMethods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const firstStatusUnsent = 499;
const fingerprintsKept = 1000;

/**
 * Counts and times each request and writes a line about it, by its route and never its path: the path
 * holds the application's token. A line is at info level, at debug for probes and clients that hung up.
 */
export function logAccess(logger: Logger, metrics: Metrics): ApiMiddleware {
  const count = countRequests(metrics);
  const loggerOf = createLoggers(logger);
  const fingerprints = new LRUCache<string, string>({
    max: fingerprintsKept,
    memoMethod: applicationFingerprint,
  });
  return async (ctx, next) => {
    const startedAtMs = performance.now();
    await next();
    const durationMs = performance.now() - startedAtMs;
    const route = templateOf(ctx);
    const method = knownMethods.has(ctx.method) ? ctx.method : "OTHER";
    count(route, method, ctx.status, durationMs / 1000);
    const level = ctx.status === firstStatusUnsent || isProbe(route) ? "debug" : "info";
    if (!logger.isLevelEnabled(level)) return;
    const token = tokenOf(ctx["params"]);
    loggerOf(method, route, ctx.status)[level](
      {
        requestId: ctx.state.requestId,
        durationMs: Math.round(durationMs * 100) / 100,
        application: token === undefined ? undefined : fingerprints.memo(token),
      },
      "request",
    );
  };
}

/** A logger for each kind of request: of its lines, what is alike in all is put together once. */
function createLoggers(logger: Logger) {
  // A line has the fields that are named in this file: nothing secret needs to be looked for.
  const plain = logger.child({}, { redact: [] });
  const loggers = new Map<string, Logger>();
  return (method: string, route: string, status: number): Logger => {
    const kind = `${status} ${method} ${route}`;
    let known = loggers.get(kind);
    if (!known) {
      known = plain.child({ method, route, status });
      loggers.set(kind, known);
    }
    return known;
  };
}

function countRequests(metrics: Metrics) {
  const requests = metrics.counter({
    name: "sluice_http_requests_total",
    help: "Requests answered, by route, method and status.",
    labels: ["route", "method", "status"],
  });
  const durations = metrics.histogram({
    name: "sluice_http_request_duration_seconds",
    help: "Time from a request's headers to its answer, by route and method.",
    labels: ["route", "method"],
    buckets: durationBuckets,
  });
  return (route: string, method: string, status: number, seconds: number) => {
    requests.inc({ route, method, status });
    durations.observe({ route, method }, seconds);
  };
}

function tokenOf(params: unknown): string | undefined {
  if (typeof params !== "object" || params === null || !("token" in params)) return undefined;
  return String(params.token);
}
