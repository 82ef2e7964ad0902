import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";

import { BufferUnavailableError } from "../buffer/connections.ts";
import type { JobLease, JobRun, JobRuns, JobTrigger } from "../buffer/job-runs.ts";
import { type Job, type ShowProgress, unseen } from "./job.ts";

/** Where runs are logged. */
export interface JobLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface RunOptions {
  readonly trigger: JobTrigger;
  readonly signal: AbortSignal;
  readonly log: JobLog;
  readonly show?: ShowProgress;
}

/** A process that dies lets another run the job after this long. */
const leaseMs = 30_000;
const renewEveryMs = 10_000;

/** Names this process in what is kept of a run. */
const owner = `${hostname()}:${process.pid}`;

/**
 * Runs a job under its lease, so that no other process does meanwhile, and notes what became of it. Where a
 * run is under way already this one is skipped. A failure of the job is an outcome and not thrown.
 *
 * @throws {BufferUnavailableError} where Redis is away before it begins
 */
export async function runJob(job: Job, runs: JobRuns, options: RunOptions): Promise<JobRun> {
  const startedAtMs = Date.now();
  const lease = await runs.acquire(job.name, owner, leaseMs);
  const ended = lease
    ? await runUnder(lease, job, runs, options)
    : { outcome: "skipped" as const, detail: "another run was still under way" };
  const { trigger } = options;
  const run = { trigger, startedAtMs, durationMs: Date.now() - startedAtMs, owner, ...ended };
  report(job, run, options.log);
  await quietly(runs.record(job.name, run));
  return run;
}

type Ended = Pick<JobRun, "outcome" | "detail">;

async function runUnder(lease: JobLease, job: Job, runs: JobRuns, options: RunOptions): Promise<Ended> {
  const [lost, over] = [new AbortController(), new AbortController()];
  const keeping = keep(lease, runs, over.signal, lost);
  try {
    const signal = AbortSignal.any([options.signal, lost.signal]);
    return { outcome: "done", detail: await job.run(signal, options.show ?? unseen) };
  } catch (error) {
    if (options.signal.aborted) return { outcome: "stopped", detail: "its process was told to stop" };
    if (lost.signal.aborted) return { outcome: "failed", detail: "its lease was lost: Redis was away" };
    return { outcome: "failed", detail: reasonOf(error) };
  } finally {
    over.abort();
    await keeping;
    await quietly(runs.renew(lease, 0));
  }
}

/** Why, in words that quote no data: a driver's message holds the statement, and so tokens. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code = error.name } = error as { code?: string };
  return "sql" in error ? `MySQL answered ${code}` : error.message;
}

/** Renews the lease until the run is over; aborts the run when the lease has gone, or may have. */
async function keep(lease: JobLease, runs: JobRuns, over: AbortSignal, lost: AbortController): Promise<void> {
  let heldUntilMs = performance.now() + leaseMs;
  for (;;) {
    await delay(renewEveryMs, undefined, { signal: over }).catch(() => undefined);
    if (over.aborted) return;
    const askedAtMs = performance.now();
    const renewed = await runs
      .renew(lease, leaseMs)
      .catch(() => (performance.now() < heldUntilMs - renewEveryMs ? ("unknown" as const) : false));
    if (renewed === true) heldUntilMs = askedAtMs + leaseMs;
    if (renewed === false) {
      lost.abort();
      return;
    }
  }
}

function report(job: Job, run: JobRun, log: JobLog): void {
  const { trigger, outcome, durationMs, detail } = run;
  const fields = { job: job.name, trigger, outcome, durationMs, detail };
  if (outcome === "failed") log.error(fields, "a job failed; it is tried again at its next time");
  else if (outcome === "skipped") log.warn(fields, "a job was skipped");
  else log.info(fields, outcome === "done" ? "a job is done" : "a job was stopped");
}

/** What is only noted may fail with Redis: the lease then expires, and the run is in the log. */
async function quietly(note: Promise<unknown>): Promise<void> {
  try {
    await note;
  } catch (error) {
    if (!(error instanceof BufferUnavailableError)) throw error;
  }
}
