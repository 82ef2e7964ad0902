import type { Buffer } from "../buffer/buffer.ts";
import { jobNames } from "../buffer/job-runs.ts";
import type { Metrics } from "../telemetry.ts";

/**
 * Registers what became of scheduled work; answers how to read it anew from Redis. A label `job` would be renamed
 * by Prometheus, which has one of its own.
 */
export function registerJobs(metrics: Metrics, buffer: Buffer): () => Promise<void> {
  const runs = metrics.counter({
    name: "sluice_job_runs_total",
    help: "Runs of scheduled work, by what became of them.",
    labels: ["job_name", "outcome"],
  });
  const lastDone = metrics.gauge({
    name: "sluice_job_last_done_timestamp_seconds",
    help: "When a job was last done, Unix seconds; 0 for never.",
    labels: ["job_name"],
  });
  const duration = metrics.gauge({
    name: "sluice_job_last_duration_seconds",
    help: "How long the last run of a job took.",
    labels: ["job_name"],
  });
  const failing = metrics.gauge({
    name: "sluice_job_failing",
    help: "Whether the last run of a job failed.",
    labels: ["job_name"],
  });
  return async () => {
    const statuses = await Promise.all(jobNames.map((job) => buffer.jobs.status(job, 1)));
    runs.reset();
    for (const [
      at,
      {
        totals,
        lastDoneAtMs = 0,
        runs: [last],
      },
    ] of statuses.entries()) {
      const job_name = jobNames[at] ?? "counts";
      for (const [outcome, count] of Object.entries(totals)) runs.inc({ job_name, outcome }, count);
      lastDone.set({ job_name }, lastDoneAtMs / 1000);
      duration.set({ job_name }, (last?.durationMs ?? 0) / 1000);
      failing.set({ job_name }, last?.outcome === "failed" ? 1 : 0);
    }
  };
}
