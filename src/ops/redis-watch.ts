import type { Buffer } from "../buffer/buffer.ts";
import { BufferUnavailableError } from "../buffer/connections.ts";
import { MissingRightsError, type RedisMemory } from "../buffer/health.ts";
import type { Logger } from "../telemetry.ts";
import { describeMemory } from "./redis-check.ts";

const everyMs = 1000;

/**
 * Looks at Redis' memory and rights now and once a second: by what it finds, the buffer refuses what is new. Resolves
 * after the first look with how to stop. Redis may be away.
 */
export async function startRedisWatch(buffer: Buffer, logger: Logger): Promise<() => Promise<void>> {
  const watch = new RedisWatch(buffer, logger);
  let looking = watch.look();
  let isLooking = false;
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    looking = watch.look().finally(() => {
      isLooking = false;
    });
  }, everyMs).unref();
  await looking;
  return async () => {
    clearInterval(timer);
    await looking;
  };
}

/** Tells what it finds when that changes, and not with each look. */
class RedisWatch {
  readonly #buffer: Buffer;
  readonly #logger: Logger;
  readonly #told = new Map<string, string>();

  constructor(buffer: Buffer, logger: Logger) {
    this.#buffer = buffer;
    this.#logger = logger;
  }

  async look(): Promise<void> {
    try {
      this.#tellMemory(await this.#buffer.health.readMemory());
      await this.#buffer.health.checkRights();
      if (this.#changes("rights", "")) this.#logger.info("the user of REDIS_URL has the rights it needs");
      if (this.#changes("outage", "")) this.#logger.info("Redis serves again");
    } catch (err) {
      if (err instanceof MissingRightsError) this.#tellRights(err);
      else if (!(err instanceof BufferUnavailableError))
        this.#logger.error({ err }, "Redis could not be looked at");
      else if (this.#changes("outage", "outage"))
        this.#logger.warn({ err }, "Redis cannot serve; it is waited for");
    }
  }

  #tellMemory(memory: RedisMemory | undefined): void {
    if (!memory) {
      if (this.#changes("memory", "unknown"))
        this.#logger.warn("the memory of Redis cannot be watched: the user of REDIS_URL may not run INFO");
      return;
    }
    const { detail } = describeMemory(memory);
    // The share changes with each look.
    if (!this.#changes("memory", detail.replace(/(more than )?\d+ %/, ""))) return;
    if (detail === "answers") this.#logger.info("Redis has memory for what is new");
    else this.#logger.warn(memory, `Redis ${detail}`);
  }

  #tellRights(err: MissingRightsError): void {
    const { commands } = err;
    if (!this.#changes("rights", commands.join(" "))) return;
    this.#logger.error({ commands }, "the user of REDIS_URL may not run these commands: nothing is accepted");
  }

  /** Whether what is to be said of a matter is new; at first all is thought to be well. */
  #changes(matter: string, finding: string): boolean {
    const before = this.#told.get(matter) ?? (matter === "memory" ? "answers" : "");
    this.#told.set(matter, finding);
    return before !== finding;
  }
}
