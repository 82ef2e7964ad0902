import type { Cluster, Redis } from "ioredis";
import { LRUCache } from "lru-cache";
import {
  RLWrapperTimeouts,
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
} from "rate-limiter-flexible";
import { tooManyRequests } from "../../errors.ts";
import { gather } from "../../gather.ts";
import type { Logger } from "../../telemetry.ts";
import type { ApiContext, ApiMiddleware } from "../context.ts";
import { isProbe } from "../paths.ts";
import { clientKey } from "../../client-address.ts";

const windowSeconds = 60;
/** A request waits no longer than this for the shared count before it is counted here. */
const maxWaitMs = 250;
/** Requests of an address that are counted in one step at most. */
const mostOfOneCall = 1000;

export interface RateLimitOptions {
  /** Connected by its owner, without an offline queue; while it is not ready, counting happens in memory. */
  readonly redis: Redis | Cluster;
  /** Begins the keys of the counts. */
  readonly namespace: string;
  /** 0 turns the limit off. */
  readonly requestsPerMinute: number;
  readonly logger: Logger;
  /** Told of each address that was refused, and until when; it must not fail. */
  onBlocked?(address: string, until: Date): void;
}

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
  if (options.requestsPerMinute === 0) {
    return { middleware: (_ctx, next) => next(), unblock: () => Promise.resolve() };
  }
  const { consume, unblock } = createConsumer(options);
  const limit = options.requestsPerMinute;
  const middleware: ApiMiddleware = async (ctx, next) => {
    if (!isProbe(ctx.path)) {
      const count = await consume(addressOf(ctx));
      const resetMs = Math.max(count.msBeforeNext, 1);
      setHeaders(ctx, limit, Math.max(limit - count.consumedPoints, 0), resetMs);
      if (count.isOver) throw tooManyRequests(Math.ceil(resetMs / 1000));
    }
    await next();
  };
  return { middleware, unblock };
}

interface Count {
  readonly consumedPoints: number;
  readonly msBeforeNext: number;
  readonly isOver: boolean;
}

/** Counts requests, in Redis or, where that fails or takes too long, in memory. */
function createConsumer(options: RateLimitOptions) {
  const { redis, namespace, requestsPerMinute: points, logger } = options;
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
  // Who floods is reported once a minute, not with each request.
  const reported = new LRUCache<string, true>({ max: 1000, ttl: windowSeconds * 1000 });
  const report = (key: string, last: Count | undefined) => {
    if (!last?.isOver || reported.has(key)) return;
    const { msBeforeNext } = last;
    reported.set(key, true, { ttl: Math.max(msBeforeNext, 1) });
    options.onBlocked?.(key, new Date(Date.now() + msBeforeNext));
  };
  const unblock = async (key: string) => {
    reported.delete(key);
    await Promise.all([limiter.delete(key), insurance.delete(key)]);
  };
  const consumeAll = async (key: string, requests: number): Promise<Count[]> => {
    try {
      const counts = await settle(shared.consume(key, requests), requests, points);
      report(key, counts.at(-1));
      if (isAway) logger.info("rate limits are shared again");
      isAway = false;
      return counts;
    } catch (err) {
      if (!isAway) logger.warn({ err }, "rate limits are counted in memory: Redis does not answer");
      isAway = true;
      return settle(insurance.consume(key, requests), requests, points);
    }
  };
  // Requests of one address that come together are counted in one step, each at its place in the sum.
  const gathered = gather<string, undefined, Count>({
    run: (key, { length }) => consumeAll(key, length),
    sizeOf: () => 1,
    mostSize: mostOfOneCall,
  });
  return { consume: (key: string) => gathered(key, undefined), unblock };
}

/** The library rejects with its result where the limit is passed; here that is a result like any other. */
async function settle(outcome: Promise<RateLimiterRes>, requests: number, points: number): Promise<Count[]> {
  try {
    return countsOf(await outcome, requests, points);
  } catch (reason) {
    if (!(reason instanceof RateLimiterRes)) throw reason;
    return countsOf(reason, requests, points);
  }
}

/** The counts of the single requests in the order in which they came; the last one made it the sum that is told. */
function countsOf(
  { consumedPoints: sum, msBeforeNext }: RateLimiterRes,
  requests: number,
  points: number,
): Count[] {
  // Of an address that is known to be over the limit no sum is told.
  const before = sum === 0 ? points : sum - requests;
  return Array.from({ length: requests }, (_, nth) => {
    const consumedPoints = before + nth + 1;
    return { consumedPoints, msBeforeNext, isOver: consumedPoints > points };
  });
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
