import { z } from "zod";

import type { Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";
import type { Scripts } from "./scripts.ts";

/** What is done by the clock, by a command or on request; also the name of its command. */
export const jobNames = ["counts", "backup", "cleanup", "reindex"] as const;
export type JobName = (typeof jobNames)[number];

const outcomes = ["done", "failed", "skipped", "stopped"] as const;

const jobRunView = z.object({
  /** By the schedule, at the terminal, or asked for by a person elsewhere. */
  trigger: z.enum(["schedule", "command", "request"]),
  startedAtMs: z.number(),
  durationMs: z.number(),
  /** `skipped`: another run was still under way. `stopped`: its process was told to stop. */
  outcome: z.enum(outcomes),
  /** What was done, or why not, in a sentence. */
  detail: z.string(),
  /** Where: host and process id. */
  owner: z.string(),
});
export type JobRun = z.infer<typeof jobRunView>;
export type JobTrigger = JobRun["trigger"];

/** What a job has done so far; its runs are kept for a while, the totals for good. */
export interface JobStatus {
  readonly isRunning: boolean;
  /** The last runs, the latest first. */
  readonly runs: readonly JobRun[];
  readonly totals: Readonly<Record<JobRun["outcome"], number>>;
  /** When it was last done, Unix milliseconds. */
  readonly lastDoneAtMs: number | undefined;
}

/** The right to run a job, until it expires. */
export interface JobLease {
  readonly job: JobName;
  readonly value: string;
}

/** The runs kept of each job: two days of an hourly one. */
const runsKept = 48;
/** A claim outlives any step of a clock that an operator would not notice. */
const claimSeconds = 48 * 3600;

/** Who runs a job, and what became of it. */
export class JobRuns {
  readonly #connection: Connection;
  readonly #scripts: Scripts;
  readonly #keys: Keys;

  constructor(connection: Connection, scripts: Scripts, keys: Keys) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#keys = keys;
  }

  /** The clock of Redis, Unix milliseconds: one for all processes. */
  async nowMs(): Promise<number> {
    return this.#scripts.timeMs(this.#keys.jobRequests());
  }

  /** Whether this call is the first one for a tick, which is named by its own time and not by a clock's. */
  async claimTick(job: JobName, tick: string): Promise<boolean> {
    const key = this.#keys.jobTick(job, tick);
    const reply = await this.#connection.client.set(key, "claimed", "EX", claimSeconds, "NX");
    return reply === "OK";
  }

  /** Lets the tick be claimed again, by whoever looks for one that was missed. */
  async returnTick(job: JobName, tick: string): Promise<void> {
    await this.#connection.client.del(this.#keys.jobTick(job, tick));
  }

  /** A lease that lasts `durationMs` unless renewed, or nothing while a run holds it. */
  async acquire(job: JobName, owner: string, durationMs: number): Promise<JobLease | undefined> {
    const keys = [this.#keys.jobLease(job), this.#keys.jobFence(job)];
    const value = await this.#scripts.run("acquire-lease", keys, [owner, durationMs]);
    return typeof value === "string" ? { job, value } : undefined;
  }

  /** Whether the lease was still held; it then lasts `durationMs` from now, or is given back where that is 0. */
  async renew({ job, value }: JobLease, durationMs: number): Promise<boolean> {
    return (await this.#scripts.run("renew-lease", [this.#keys.jobLease(job)], [value, durationMs])) === 1;
  }

  /** Notes what became of a run. */
  async record(job: JobName, run: JobRun): Promise<void> {
    const [runs, totals] = [this.#keys.jobRuns(job), this.#keys.jobTotals(job)];
    const note = this.#connection.client.multi().lpush(runs, JSON.stringify(run));
    note.ltrim(runs, 0, runsKept - 1).hincrby(totals, run.outcome, 1);
    if (run.outcome === "done") note.hset(totals, "last-done", run.startedAtMs + run.durationMs);
    await note.exec();
  }

  async status(job: JobName, limit = runsKept): Promise<JobStatus> {
    const { client } = this.#connection;
    const [lease, runs, totals] = await Promise.all([
      client.exists(this.#keys.jobLease(job)),
      client.lrange(this.#keys.jobRuns(job), 0, limit - 1),
      client.hgetall(this.#keys.jobTotals(job)),
    ]);
    const total = (outcome: string) => Number(totals[outcome] ?? 0);
    return {
      isRunning: lease === 1,
      runs: runs.map((run) => jobRunView.parse(JSON.parse(run))),
      totals: {
        done: total("done"),
        failed: total("failed"),
        skipped: total("skipped"),
        stopped: total("stopped"),
      },
      lastDoneAtMs: totals["last-done"] === undefined ? undefined : Number(totals["last-done"]),
    };
  }

  /** Asks whichever flusher looks first to run a job now. */
  async request(job: JobName): Promise<void> {
    await this.#connection.client.hset(this.#keys.jobRequests(), job, String(Date.now()));
  }

  /** The jobs that were asked for and that nobody has taken. */
  async requested(): Promise<JobName[]> {
    const asked = await this.#connection.client.hkeys(this.#keys.jobRequests());
    return jobNames.filter((name) => asked.includes(name));
  }

  /** Whether this call is the one that takes a request. */
  async takeRequest(job: JobName): Promise<boolean> {
    return (await this.#connection.client.hdel(this.#keys.jobRequests(), job)) === 1;
  }
}
