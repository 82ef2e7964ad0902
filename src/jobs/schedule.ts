import { hostname } from "node:os";

import type { JobRuns, JobTrigger } from "../buffer/job-runs.ts";
import type { Job } from "./job.ts";
import { type JobLog, runJob } from "./run-job.ts";
import { Ticks } from "./ticks.ts";

/** A job and when it is due. */
export interface ScheduledJob {
  readonly job: Job;
  /** In UTC; nothing for a job that runs only when a person says so. */
  readonly cron: string | undefined;
  /** Whether one process does it for all, or one on each host for what lies there. */
  readonly once: "everywhere" | "on each host";
}

interface Entry extends ScheduledJob {
  readonly ticks: Ticks | undefined;
  /** The latest tick known to be claimed, by whichever process; Unix milliseconds. */
  settledMs: number;
}

const lookEveryMs = 1000;

/** Names a tick by its own time, and by the host where each host has its own. */
function nameOf({ once }: Entry, tickMs: number): string {
  return `${new Date(tickMs).toISOString()}${once === "everywhere" ? "" : `@${hostname()}`}`;
}

/**
 * Runs jobs at their ticks, by the clock of Redis, which is one for all. Every flusher has a schedule; a tick
 * is claimed in Redis under its own time, so one process runs it, however the clock jumps. A tick that nobody
 * has claimed by then, since no process ran or Redis was away, is run by the first that looks, if it is the
 * latest.
 */
export class Schedule {
  readonly #entries: readonly Entry[];
  readonly #runs: JobRuns;
  readonly #log: JobLog;
  readonly #nowMs: () => Promise<number>;
  readonly #stop = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(jobs: readonly ScheduledJob[], runs: JobRuns, log: JobLog, nowMs = () => runs.nowMs()) {
    this.#entries = jobs.map((scheduled) => ({
      ...scheduled,
      ticks: scheduled.cron === undefined ? undefined : new Ticks(scheduled.cron),
      settledMs: 0,
    }));
    this.#runs = runs;
    this.#log = log;
    this.#nowMs = nowMs;
  }

  /** Looks every second from now on. */
  start(): void {
    const look = () => {
      this.#looking ??= this.look()
        // Redis is away: the tick waits, and who waits for Redis has said so.
        .catch(() => undefined)
        .finally(() => (this.#looking = undefined));
    };
    look();
    this.#timer = setInterval(look, lookEveryMs);
  }

  /** Begins whatever is due or asked for. @throws {BufferUnavailableError} while Redis is away */
  async look(): Promise<void> {
    const nowMs = await this.#nowMs();
    for (const entry of this.#entries) await this.#lookAt(entry, nowMs);
    for (const name of await this.#runs.requested()) {
      const entry = this.#entries.find(({ job }) => job.name === name);
      if (entry && (await this.#runs.takeRequest(name))) this.#begin(entry.job, "request");
    }
  }

  /** Resolves when what was begun is over. */
  async idle(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** Resolves when jobs that run have been stopped. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stop.abort();
    await this.#looking;
    await this.idle();
  }

  async #lookAt(entry: Entry, nowMs: number): Promise<void> {
    if (nowMs < entry.settledMs) await this.#unsettle(entry);
    const tickMs = entry.ticks?.latest(nowMs, entry.settledMs);
    if (tickMs === undefined || this.#stop.signal.aborted) return;
    const isMine = await this.#runs.claimTick(entry.job.name, nameOf(entry, tickMs));
    entry.settledMs = tickMs;
    if (isMine) this.#begin(entry.job, "schedule", nameOf(entry, tickMs));
  }

  /** The clock was ahead, and is put back: the tick that came too soon is still to come. */
  async #unsettle(entry: Entry): Promise<void> {
    await this.#runs.returnTick(entry.job.name, nameOf(entry, entry.settledMs));
    entry.settledMs = 0;
  }

  #begin(job: Job, trigger: JobTrigger, tick?: string): void {
    const running = this.#run(job, trigger, tick).finally(() => this.#underWay.delete(running));
    this.#underWay.add(running);
  }

  async #run(job: Job, trigger: JobTrigger, tick: string | undefined): Promise<void> {
    const options = { trigger, signal: this.#stop.signal, log: this.#log };
    try {
      const { outcome } = await runJob(job, this.#runs, options);
      if (outcome === "stopped" && tick !== undefined) await this.#runs.returnTick(job.name, tick);
    } catch (error) {
      this.#log.warn({ job: job.name, err: error }, "a job could not begin");
    }
  }
}
