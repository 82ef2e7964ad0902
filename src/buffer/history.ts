import type { Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";
import type { Scripts } from "./scripts.ts";

/** The rings of points, from fine and short to coarse and long. */
export const resolutions = {
  "30m": { stepMs: 5000, kept: 360 },
  "24h": { stepMs: 60_000, kept: 1440 },
  "14d": { stepMs: 900_000, kept: 1344 },
} as const;

export type Resolution = keyof typeof resolutions;

/** Where the installation stood at a moment, or, of levels, the highest within a step. */
export interface HistoryPoint {
  readonly atMs: number;
  /** Records numbered so far. */
  readonly accepted: number;
  /** Records written to MySQL so far. */
  readonly flushed: number;
  readonly pending: number;
  readonly pendingBytes: number;
  readonly oldestAgeMs: number;
  readonly deadLetters: number;
}

const fields = ["accepted", "flushed", "pending", "pendingBytes", "oldestAgeMs", "deadLetters"] as const;
const names = Object.keys(resolutions) as Resolution[];

/** Keeps what the numbers were, in rings of a fixed size: some 300 kB in all, however long Sluice runs. */
export class History {
  readonly #connection: Connection;
  readonly #scripts: Scripts;
  readonly #keys: Keys;

  constructor(connection: Connection, scripts: Scripts, keys: Keys) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#keys = keys;
  }

  /** Adds a point to every ring. Any number of processes may do so; within a step the highest values stay. */
  async record(point: HistoryPoint): Promise<void> {
    const keys = names.map((name) => this.#keys.operators.history(name));
    const values = fields.map((field) => Math.round(point[field])).join(" ");
    const rings = names.flatMap((name) => [resolutions[name].stepMs, resolutions[name].kept]);
    await this.#scripts.run("record-history", keys, [point.atMs, values, ...rings]);
  }

  /** The points of a ring, the oldest first, at most its latest `limit`. */
  async read(resolution: Resolution, limit?: number): Promise<HistoryPoint[]> {
    const { kept } = resolutions[resolution];
    const last = Math.min(limit ?? kept, kept) - 1;
    const entries = await this.#connection.client.lrange(this.#keys.operators.history(resolution), 0, last);
    return entries.map(parse).reverse();
  }
}

function parse(entry: string): HistoryPoint {
  const [, atMs = 0, ...values] = entry.split(" ").map(Number);
  const [accepted = 0, flushed = 0, pending = 0, pendingBytes = 0, oldestAgeMs = 0, deadLetters = 0] = values;
  return { atMs, accepted, flushed, pending, pendingBytes, oldestAgeMs, deadLetters };
}
