import type { Redis } from "ioredis";
import {
  RLWrapperTimeouts,
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
} from "rate-limiter-flexible";
import { tooManyRequests } from "../../errors.ts";
import type { Logger } from "../../telemetry.ts";
import type { ApiContext, ApiMiddleware } from "../context.ts";
import { isProbe } from "../paths.ts";
import { clientKey } from "./client-address.ts";

const windowSeconds = 60;
/** A request waits no longer than this for the shared count before it is counted here. */
const maxWaitMs = 250;

export interface RateLimitOptions {
  /** Connected by its owner, without an offline queue; while it is not ready, counting happens in memory. */
  readonly redis: Redis;
  /** Begins the keys of the counts. */
  readonly namespace: string;
  /** 0 turns the limit off. */
  readonly requestsPerMinute: number;
  readonly logger: Logger;
}

/**
 * Limits the requests of each client address to a number a minute, counted in Redis for all processes
 * together. Without Redis each process counts for itself: never open to all, never closed to all.
 */
export function createRateLimit(options: RateLimitOptions): ApiMiddleware {
  if (options.requestsPerMinute === 0) return (_ctx, next) => next();
  const consume = createConsumer(options);
  const limit = options.requestsPerMinute;
  return async (ctx, next) => {
    if (!isProbe(ctx.path)) {
      const count = await consume(addressOf(ctx));
      const resetMs = Math.max(count.msBeforeNext, 1);
      setHeaders(ctx, limit, Math.max(limit - count.consumedPoints, 0), resetMs);
      if (count.isOver) throw tooManyRequests(Math.ceil(resetMs / 1000));
    }
    await next();
  };
}

interface Count {
  readonly consumedPoints: number;
  readonly msBeforeNext: number;
  readonly isOver: boolean;
}

/** Counts one request, in Redis or, where that fails or takes too long, in memory. */
function createConsumer({ redis, namespace, requestsPerMinute: points, logger }: RateLimitOptions) {
  const common = { points, duration: windowSeconds, keyPrefix: `${namespace}:rate` };
  const limiter = new RateLimiterRedis({
    ...common,
    storeClient: redis,
    rejectIfRedisNotReady: true,
    // Who is over the limit is remembered here, so that a flood stops at this process.
    inMemoryBlockOnConsumed: points + 1,
  });
  const shared = new RLWrapperTimeouts({ limiter, timeoutMs: maxWaitMs });
  const insurance = new RateLimiterMemory(common);
  let isAway = false;
  return async (key: string): Promise<Count> => {
    try {
      const count = await settle(shared.consume(key), points);
      if (isAway) logger.info("rate limits are shared again");
      isAway = false;
      return count;
    } catch (err) {
      if (!isAway) logger.warn({ err }, "rate limits are counted in memory: Redis does not answer");
      isAway = true;
      return settle(insurance.consume(key), points);
    }
  };
}

/** The library rejects with its result where the limit is passed; here that is a result like any other. */
async function settle(outcome: Promise<RateLimiterRes>, points: number): Promise<Count> {
  try {
    const { consumedPoints, msBeforeNext } = await outcome;
    return { consumedPoints, msBeforeNext, isOver: false };
  } catch (reason) {
    if (!(reason instanceof RateLimiterRes)) throw reason;
    return { consumedPoints: points + 1, msBeforeNext: reason.msBeforeNext, isOver: true };
  }
}

/** A forwarded address that is none is not believed; the one the connection came from always is. */
function addressOf(ctx: ApiContext): string {
  return clientKey(ctx.ip) ?? clientKey(ctx.req.socket.remoteAddress ?? "") ?? "unknown";
}

function setHeaders(ctx: ApiContext, limit: number, remaining: number, resetMs: number): void {
  const resetSeconds = Math.ceil(resetMs / 1000);
  ctx.set("RateLimit-Policy", `"ip";q=${limit};w=${windowSeconds}`);
  ctx.set("RateLimit", `"ip";r=${remaining};t=${resetSeconds}`);
  ctx.set("X-RateLimit-Limit", String(limit));
  ctx.set("X-RateLimit-Remaining", String(remaining));
  // The older headers name the second at which the count begins anew, not how far away it is.
  ctx.set("X-RateLimit-Reset", String(Math.ceil((Date.now() + resetMs) / 1000)));
}
