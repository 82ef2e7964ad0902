import type { Cluster, Redis } from "ioredis";
import { LRUCache } from "lru-cache";
import {
  RLWrapperTimeouts,
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
} from "rate-limiter-flexible";
import { gather } from "../../gather.ts";
import type { Logger } from "../../telemetry.ts";
import { CountedAhead, type Places } from "./counted-ahead.ts";

export const windowSeconds = 60;
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

/** Where a request stands among those of its address. */
export interface Count {
  readonly consumedPoints: number;
  readonly msBeforeNext: number;
  readonly isOver: boolean;
}

export interface RateCounter {
  /** Counts a request. */
  readonly count: (address: string) => Count | Promise<Count>;
  /** Forgets what was counted for an address. */
  readonly forget: (address: string) => Promise<void>;
}

/** Counts the requests of each address within a window: with all processes together, or alone without Redis. */
export function createRateCounter(options: RateLimitOptions): RateCounter {
  const points = options.requestsPerMinute;
  const { consume, forget, isShared } = createConsumer(options);
  const ahead = new CountedAhead(points);
  const reports = new RefusalReports(options);
  const countAt = (place: number, endsAtMs: number): Count => ({
    consumedPoints: place,
    msBeforeNext: endsAtMs - Date.now(),
    isOver: place > points,
  });
  // Requests of one address that come together are counted in one step, each at its place in the sum.
  const gathered = gather<string, undefined, Count>({
    async run(address, { length }) {
      const places = await consume(address, length + ahead.wanted(address));
      ahead.keep(address, places, length);
      const counts = Array.from({ length }, (_, nth) => countAt(places.first + nth, places.endsAtMs));
      // Who is refused by this process alone could not be shown to others now.
      if (counts.at(-1)?.isOver && isShared()) reports.add(address, places.endsAtMs);
      return counts;
    },
    sizeOf: () => 1,
    mostSize: mostOfOneCall,
  });
  return {
    count(address) {
      const place = ahead.take(address);
      return place ? countAt(place.first, place.endsAtMs) : gathered(address, undefined);
    },
    async forget(address) {
      reports.forget(address);
      ahead.forget(address);
      await forget(address);
    },
  };
}

/** Tells of an address that floods once a window, not with each request. */
class RefusalReports {
  readonly #options: RateLimitOptions;
  readonly #told = new LRUCache<string, true>({ max: 1000, ttl: windowSeconds * 1000 });

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  add(address: string, endsAtMs: number): void {
    if (this.#told.has(address)) return;
    this.#told.set(address, true, { ttl: Math.max(endsAtMs - Date.now(), 1) });
    this.#options.onBlocked?.(address, new Date(endsAtMs));
  }

  forget(address: string): void {
    this.#told.delete(address);
  }
}

/** Takes places in the count in Redis or, where that fails or takes too long, in memory. */
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
  const consume = async (address: string, requests: number): Promise<Places> => {
    try {
      const places = await settle(shared.consume(address, requests), requests, points);
      if (isAway) logger.info("rate limits are shared again");
      isAway = false;
      return places;
    } catch (err) {
      if (!isAway) logger.warn({ err }, "rate limits are counted in memory: Redis does not answer");
      isAway = true;
      return settle(insurance.consume(address, requests), requests, points);
    }
  };
  const forget = (address: string) => Promise.all([limiter.delete(address), insurance.delete(address)]);
  return { consume, forget, isShared: () => !isAway };
}

/** The library rejects with its result where the limit is passed; here that is a result like any other. */
async function settle(outcome: Promise<RateLimiterRes>, requests: number, points: number): Promise<Places> {
  try {
    return placesOf(await outcome, requests, points);
  } catch (reason) {
    if (!(reason instanceof RateLimiterRes)) throw reason;
    return placesOf(reason, requests, points);
  }
}

function placesOf(
  { consumedPoints: sum, msBeforeNext }: RateLimiterRes,
  requests: number,
  points: number,
): Places {
  // Of an address that is known to be over the limit no sum is told.
  const before = sum === 0 ? points : sum - requests;
  return { first: before + 1, last: before + requests, endsAtMs: Date.now() + msBeforeNext };
}
