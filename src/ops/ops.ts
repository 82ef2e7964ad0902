import Router from "@koa/router";
import type { Middleware } from "koa";

import type { Buffer } from "../buffer/buffer.ts";
import { BufferUnavailableError } from "../buffer/connections.ts";
import type { Config } from "../config.ts";
import { BackupDirectory } from "../jobs/backup-directory.ts";
import { jobTimes } from "../jobs/jobs.ts";
import type { Logger } from "../telemetry.ts";
import { FailureLimit } from "./access/failure-limit.ts";
import { Guard } from "./access/guard.ts";
import { Actions } from "./actions.ts";
import type { OpsContext, OpsState } from "./context.ts";
import { LiveFeed } from "./live-feed.ts";
import { liveView } from "./live-view.ts";
import { readOverview } from "./overview.ts";
import { refusalPage } from "./pages/sign-in.ts";
import type { Check } from "./engine-check.ts";
import { Refusal } from "./refusal.ts";
import { routeAccess } from "./routes/access.ts";
import { routeActivity } from "./routes/activity.ts";
import { routeDeadLetters } from "./routes/dead-letters.ts";
import { routeJobs } from "./routes/jobs.ts";
import { routeNumbers } from "./routes/numbers.ts";
import { routePartitions } from "./routes/partitions.ts";

export interface OpsParts {
  readonly buffer: Buffer;
  readonly config: Pick<Config, "ops" | "http" | "redis" | "jobs" | "search">;
  readonly logger: Logger;
  /** Looks at the engines, within a second whatever they do. */
  readonly check: () => Promise<readonly Check[]>;
}

/** The dashboard: what answers under `/ops`, and how to end its open connections. */
export interface Ops {
  readonly middleware: Middleware<OpsState>;
  readonly close: () => void;
}

/** Builds the dashboard. It opens nothing; `close` must be called before the server is closed. */
export function createOps({ buffer, config, logger, check }: OpsParts): Ops {
  const { namespace } = config.redis;
  const overview = () => readOverview(buffer, check);
  const feed = new LiveFeed({
    read: async () => liveView(await overview()),
    everyMs: refreshMs(buffer.partitions),
    onFailure: (err) => {
      logger.error({ err }, "the dashboard could not be brought up to date");
    },
  });
  const guard = new Guard(
    { ...config.ops, isBehindProxy: config.http.trustedProxies > 0 },
    new FailureLimit(buffer.connection, namespace),
  );
  const actions = new Actions(buffer, logger, config.http.messageMaxBytes);
  const { messageMaxBytes } = config.http;
  const backups = new BackupDirectory(config.jobs.backupDirectory);
  const services = {
    buffer,
    guard,
    feed,
    actions,
    namespace,
    messageMaxBytes,
    overview,
    backups,
    jobTimes: jobTimes(config),
  };

  const router = new Router<OpsState>();
  router.use(/^\/ops(\/|$)/, setHeaders, explainRefusals);
  routeAccess(router, services);
  routeNumbers(router, services);
  routePartitions(router, services);
  routeDeadLetters(router, services);
  routeJobs(router, services);
  routeActivity(router, services);
  return {
    middleware: router.routes() as unknown as Middleware<OpsState>,
    close: () => {
      feed.close();
    },
  };
}

/** Once a second; with many partitions, which are some ten commands each, not as often. */
function refreshMs(partitions: number): number {
  return Math.max(1000, partitions * 20);
}

/** What a page may do: run and show its own files, ask and send forms to this server. Nothing stands inline. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

async function setHeaders(ctx: OpsContext, next: () => Promise<unknown>): Promise<void> {
  ctx.set("Content-Security-Policy", policy);
  ctx.set("X-Content-Type-Options", "nosniff");
  ctx.set("Cross-Origin-Opener-Policy", "same-origin");
  ctx.set("Cross-Origin-Resource-Policy", "same-origin");
  // A form of the page must be able to say where it came from.
  ctx.set("Referrer-Policy", "same-origin");
  ctx.set("Cache-Control", "no-store");
  await next();
}

/** Answers refusals, and Redis being away, as a page or as JSON. */
async function explainRefusals(ctx: OpsContext, next: () => Promise<unknown>): Promise<void> {
  try {
    await next();
  } catch (error) {
    const refusal = refusalOf(error);
    ctx.status = refusal.status;
    if (refusal.retryAfterSeconds !== undefined) ctx.set("Retry-After", String(refusal.retryAfterSeconds));
    const { status, message, remedy } = refusal;
    if (ctx.accepts("html", "json") === "json") ctx.body = { status, error: message, remedy };
    else {
      ctx.type = "text/html";
      ctx.body = refusalPage(refusal);
    }
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof BufferUnavailableError) {
    return new Refusal(503, "Redis does not answer.", "Nothing is known of what was asked. Try again.", 1);
  }
  throw error;
}
