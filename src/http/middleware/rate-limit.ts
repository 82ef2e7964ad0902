import { LRUCache } from "lru-cache";
import { tooManyRequests } from "../../errors.ts";
import type { ApiContext, ApiMiddleware } from "../context.ts";
import { isProbe } from "../routes.ts";
import { clientKey } from "../../client-address.ts";
import { createRateCounter, type RateLimitOptions, windowSeconds } from "./rate-counter.ts";

/** The limit, and a way to let an address in again before its minute is over. */
export interface RateLimit {
  readonly middleware: ApiMiddleware;
  /** Forgets what was counted for an address. */
  readonly unblock: (address: string) => Promise<void>;
}

/**
 * Limits the requests of each client address to a number a minute, counted in Redis for all processes
 * together. Without Redis each process counts for itself: never open to all, never closed to all.
 */
export function createRateLimit(options: RateLimitOptions): RateLimit {
  const limit = options.requestsPerMinute;
  if (limit === 0) return { middleware: (_ctx, next) => next(), unblock: () => Promise.resolve() };
  const { count, forget } = createRateCounter(options);
  const middleware: ApiMiddleware = async (ctx, next) => {
    if (!isProbe(ctx.path)) {
      const { consumedPoints, msBeforeNext, isOver } = await count(addressOf(ctx));
      const resetMs = Math.max(msBeforeNext, 1);
      setHeaders(ctx, limit, Math.max(limit - consumedPoints, 0), resetMs);
      if (isOver) throw tooManyRequests(Math.ceil(resetMs / 1000));
    }
    await next();
  };
  return { middleware, unblock: forget };
}

/** Addresses whose key is not made anew with each request. */
const keys = new LRUCache<string, string>({ max: 1000, memoMethod: (address) => clientKey(address) ?? "" });

/** A forwarded address that is none is not believed; the one the connection came from always is. */
function addressOf(ctx: ApiContext): string {
  return keys.memo(ctx.ip) || keys.memo(ctx.req.socket.remoteAddress ?? "") || "unknown";
}

function setHeaders(ctx: ApiContext, limit: number, remaining: number, resetMs: number): void {
  const resetSeconds = Math.ceil(resetMs / 1000);
  ctx.res.setHeader("RateLimit-Policy", `"ip";q=${limit};w=${windowSeconds}`);
  ctx.res.setHeader("RateLimit", `"ip";r=${remaining};t=${resetSeconds}`);
  ctx.res.setHeader("X-RateLimit-Limit", String(limit));
  ctx.res.setHeader("X-RateLimit-Remaining", String(remaining));
  // The older headers name the second at which the count begins anew, not how far away it is.
  ctx.res.setHeader("X-RateLimit-Reset", String(Math.ceil((Date.now() + resetMs) / 1000)));
}
