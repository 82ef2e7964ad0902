import { randomUUID } from "node:crypto";
import { hostname } from "node:os";

import { z } from "zod";

import type { Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";
import type { Scripts } from "./scripts.ts";

/** What a flusher says to those with which it shares the partitions. */
const sharingView = z.object({
  /** As its leases name it. */
  owner: z.string(),
  /** Whether it writes to the search index as well. */
  keepsIndex: z.boolean(),
  /** Partitions that it leaves to others, as their records are of a version that it cannot read. */
  standsBackFrom: z.array(z.number()),
});

const troubleView = z.object({
  /** A server's number or code, and its first words. */
  what: z.string(),
  /** How long ago, when the process last said that it lives. */
  ageMs: z.number(),
});

/** What a flusher last met that kept it from its work, be it over or not. */
export type Trouble = z.infer<typeof troubleView>;

const processView = z.object({
  role: z.enum(["api", "flusher"]),
  host: z.string(),
  pid: z.number(),
  /** Of Node. */
  version: z.string(),
  startedAtMs: z.number(),
  /** Absent where it shares in no partitions, or no longer. */
  sharing: sharingView.optional(),
  trouble: troubleView.optional(),
});

/** What a process that serves says of itself. */
export type RunningProcess = z.infer<typeof processView>;

/** What of a process changes while it runs. */
type ProcessState = Pick<RunningProcess, "sharing" | "trouble">;

const beatEveryMs = 3000;
/** As long as a lease: one who dies is no longer waited for when its partitions are free. */
const forgottenAfterMs = 10_000;

/** Which processes run: each says so every three seconds, and is forgotten ten after its last word. */
export class Processes {
  readonly #connection: Connection;
  readonly #scripts: Scripts;
  readonly #keys: Keys;
  #say: (() => Promise<void>) | undefined;

  constructor(connection: Connection, scripts: Scripts, keys: Keys) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#keys = keys;
  }

  /**
   * Says that this process runs, at once and again and again, until the returned function is called, which
   * takes it off. Redis may be away meanwhile. `state` is asked at each beat.
   */
  announce(role: RunningProcess["role"], state?: () => ProcessState): () => Promise<void> {
    const id = randomUUID();
    const say = (aliveMs: number) => this.#beat(id, JSON.stringify(describe(role, state?.())), aliveMs);
    const sayNow = () => say(forgottenAfterMs);
    this.#say = sayNow;
    // Whoever looks must not be misled for long by a beat that failed: the next one comes soon.
    const beat = (aliveMs: number) => say(aliveMs).catch(() => undefined);
    let beating = beat(forgottenAfterMs);
    const timer = setInterval(() => {
      beating = beat(forgottenAfterMs);
    }, beatEveryMs).unref();
    return async () => {
      clearInterval(timer);
      if (this.#say === sayNow) this.#say = undefined;
      await beating;
      await beat(0);
    };
  }

  /**
   * Says once more that this process runs, if it was announced. When it resolves, whoever looks sees it for ten seconds.
   *
   * @throws {BufferUnavailableError} where nobody may have heard it
   */
  async say(): Promise<void> {
    await this.#say?.();
  }

  /** The processes that run, as of a few seconds ago; the longest-running first. */
  async list(): Promise<RunningProcess[]> {
    const { client } = this.#connection;
    const nowMs = await this.#scripts.timeMs(this.#keys.processes());
    const ids = await client.zrangebyscore(this.#keys.processesForgotten(), `(${nowMs}`, "+inf");
    if (ids.length === 0) return [];
    const found = await client.hmget(this.#keys.processes(), ...ids);
    return found
      .filter((description) => description !== null)
      .map((description) => processView.parse(JSON.parse(description)))
      .sort((a, b) => a.startedAtMs - b.startedAtMs);
  }

  async #beat(id: string, description: string, aliveMs: number): Promise<void> {
    const keys = [this.#keys.processes(), this.#keys.processesForgotten()];
    await this.#scripts.run("beat", keys, [id, description, aliveMs]);
  }
}

function describe(role: RunningProcess["role"], state: ProcessState = {}): RunningProcess {
  return {
    role,
    host: hostname(),
    pid: process.pid,
    version: process.version,
    startedAtMs: Math.round(Date.now() - process.uptime() * 1000),
    ...state,
  };
}
