import { BufferUnavailableError, type Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";
import type { Scripts } from "./scripts.ts";

/** The memory of Redis; of a cluster that of its fullest master. */
export interface RedisMemory {
  readonly usedBytes: number;
  /** `maxmemory`; 0 where there is none. */
  readonly maxBytes: number;
  /** `maxmemory-policy`; of a cluster the worst. */
  readonly policy: string | undefined;
}

/** Thrown where the user of `REDIS_URL` may not run what Sluice needs. */
export class MissingRightsError extends BufferUnavailableError {
  override readonly code = "NOPERM";
  /** In small letters, in order. */
  readonly commands: readonly string[];

  constructor(commands: readonly string[]) {
    super(`the user of REDIS_URL may not run ${commands.join(", ")}`);
    this.name = "MissingRightsError";
    this.commands = commands;
  }
}

/**
 * Above this share of `maxmemory` nothing new is accepted: what is accepted within the second until that is seen, and
 * what a drain needs for a moment, has room in the rest.
 */
export const mostMemoryShare = 0.9;

/** What was tried is gone this long after its process. */
const trialMs = 10_000;

/** Looks what Redis does with what is written, and how much room its memory has. */
export class BufferHealth {
  readonly #connection: Connection;
  readonly #scripts: Scripts;
  readonly #keys: Keys;
  /** Since when the rights are known to be all there. */
  #rightsSince: string | undefined;
  #missing: readonly string[] = [];
  #isShort = false;

  constructor(connection: Connection, scripts: Scripts, keys: Keys) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#keys = keys;
  }

  /**
   * Of the bytes that may be pending those that may be now: none where the memory was found to be too full for more.
   *
   * @throws {MissingRightsError} where rights were found to be missing: half of a script would then be done
   */
  bound(maxBytes: number): number {
    this.#requireRights();
    return this.#isShort ? 0 : maxBytes;
  }

  /**
   * Looks at the memory; nothing where that may not be asked.
   *
   * @throws {BufferUnavailableError} where Redis, or every part of a cluster, is away
   */
  async readMemory(): Promise<RedisMemory | undefined> {
    const masters = await this.#connection.servingMasters();
    const asked = masters.map((master) => master.info("memory"));
    const found = await Promise.all(asked).catch((error: unknown) => {
      if (error instanceof BufferUnavailableError && error.code === "NOPERM") return [];
      throw error;
    });
    const memories = found.map(memoryOf);
    const fullest = memories.sort((one, other) => shareOf(other) - shareOf(one))[0];
    this.#isShort = fullest !== undefined && shareOf(fullest) > mostMemoryShare;
    const policies = memories.map(({ policy }) => policy);
    return fullest && { ...fullest, policy: policies.find((one) => one !== "noeviction") ?? policies[0] };
  }

  /**
   * Resolves where Redis takes a small write, and all commands that scripts give may be run. Where a part of a cluster
   * does not take it, with what was said of that part.
   *
   * @throws {MissingRightsError} and {BufferUnavailableError} with Redis' word for why not
   */
  async tryWriting(): Promise<unknown> {
    const now = this.#nowOfRights;
    const partitions = Array.from({ length: this.#keys.partitions }, (_, partition) => partition);
    const tried = await Promise.allSettled(partitions.map((partition) => this.#try(partition)));
    const taken = tried.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const failed = tried.find((one) => one.status === "rejected");
    if (failed && taken.length === 0) throw failed.reason;
    this.#missing = [...new Set(taken.flat())].sort();
    this.#requireRights();
    if (!failed) this.#rightsSince = now;
    return failed?.reason;
  }

  /**
   * Looks at the rights the first time on a connection, after a command was refused for want of them, and as long as
   * some are missing. Throws as `tryWriting` does.
   */
  async checkRights(): Promise<void> {
    if (this.#rightsSince !== this.#nowOfRights) await this.tryWriting();
  }

  #requireRights(): void {
    if (this.#missing.length > 0) throw new MissingRightsError(this.#missing);
  }

  /** Differs where another user or server may be met than before, and where rights were found to be missing. */
  get #nowOfRights(): string {
    return `${this.#connection.reconnects} ${this.#connection.rightsRefused}`;
  }

  async #try(partition: number): Promise<string[]> {
    const keys = [this.#keys.trial(partition), this.#keys.trialOfRights(partition)];
    return (await this.#scripts.run("try", keys, [trialMs])) as string[];
  }
}

function memoryOf(info: string): RedisMemory {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];
  // As Redis compares: what waits to be written to the log and to replicas passes by itself.
  const usedBytes = Number(field("used_memory") ?? 0) - Number(field("mem_not_counted_for_evict") ?? 0);
  return { usedBytes, maxBytes: Number(field("maxmemory") ?? 0), policy: field("maxmemory_policy") };
}

function shareOf({ usedBytes, maxBytes }: RedisMemory): number {
  return maxBytes > 0 ? usedBytes / maxBytes : 0;
}
