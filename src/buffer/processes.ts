import { randomUUID } from "node:crypto";
import { hostname } from "node:os";

import { z } from "zod";

import type { Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";
import type { Scripts } from "./scripts.ts";

const processView = z.object({
  role: z.enum(["api", "flusher"]),
  host: z.string(),
  pid: z.number(),
  /** Of Node. */
  version: z.string(),
  startedAtMs: z.number(),
});

/** What a process that serves says of itself. */
export type RunningProcess = z.infer<typeof processView>;

const beatEveryMs = 5000;
/** Two beats may be missed before a process counts as gone. */
const forgottenAfterMs = 15_000;

/** Which processes run: each says so every five seconds, and is forgotten fifteen after its last word. */
export class Processes {
  readonly #connection: Connection;
  readonly #scripts: Scripts;
  readonly #keys: Keys;

  constructor(connection: Connection, scripts: Scripts, keys: Keys) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#keys = keys;
  }

  /**
   * Says that this process runs, at once and again and again, until the returned function is called, which
   * takes it off. Redis may be away meanwhile.
   */
  announce(role: RunningProcess["role"]): () => Promise<void> {
    const id = randomUUID();
    const description = JSON.stringify({
      role,
      host: hostname(),
      pid: process.pid,
      version: process.version,
      startedAtMs: Math.round(Date.now() - process.uptime() * 1000),
    } satisfies RunningProcess);
    const beat = async (aliveMs: number) => {
      // Whoever looks must not be misled for long by a beat that failed: the next one comes soon.
      await this.#beat(id, description, aliveMs).catch(() => undefined);
    };
    let beating = beat(forgottenAfterMs);
    const timer = setInterval(() => {
      beating = beat(forgottenAfterMs);
    }, beatEveryMs).unref();
    return async () => {
      clearInterval(timer);
      await beating;
      await beat(0);
    };
  }

  /** The processes that run, as of a few seconds ago; the longest-running first. */
  async list(): Promise<RunningProcess[]> {
    const { client } = this.#connection;
    const [seconds] = await this.#connection.settled(client.time());
    const nowMs = Number(seconds) * 1000;
    const ids = await this.#connection.settled(
      client.zrangebyscore(this.#keys.processesForgotten(), `(${nowMs}`, "+inf"),
    );
    if (ids.length === 0) return [];
    const found = await this.#connection.settled(client.hmget(this.#keys.processes(), ...ids));
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
