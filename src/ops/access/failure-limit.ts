import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";

import type { Buffer } from "../../buffer/buffer.ts";
import { Refusal } from "../refusal.ts";

const failuresAllowed = 10;
const windowSeconds = 15 * 60;

/**
 * Limits how often an address may be wrong about the password: counted in Redis for all processes, and in memory
 * while that is away.
 */
export class FailureLimit {
  readonly #limiter: RateLimiterRedis;

  constructor(redis: Buffer["connection"], namespace: string) {
    const common = {
      points: failuresAllowed,
      duration: windowSeconds,
      keyPrefix: `${namespace}:sign-in`,
    };
    this.#limiter = new RateLimiterRedis({
      ...common,
      storeClient: redis,
      rejectIfRedisNotReady: true,
      insuranceLimiter: new RateLimiterMemory(common),
    });
  }

  /**
   * Counts an attempt before it is looked at, so that many at once are counted too.
   *
   * @throws {Refusal} where the address was wrong too often, right or not this time
   */
  async attempt(address: string): Promise<void> {
    try {
      await this.#limiter.consume(address);
    } catch (reason) {
      if (!(reason instanceof RateLimiterRes)) throw reason;
      const seconds = Math.ceil(reason.msBeforeNext / 1000);
      throw new Refusal(
        429,
        "Too many failed sign-ins from this address.",
        "Wait before you try again.",
        seconds,
      );
    }
  }

  /** Takes an attempt back that was right. */
  async forgive(address: string): Promise<void> {
    await this.#limiter.reward(address);
  }
}
