import type { JobName } from "../buffer/job-runs.ts";
import type { Config } from "../config.ts";
import { countsJob } from "../jobs/counts.ts";
import type { Job } from "../jobs/job.ts";
import { scheduledJobs } from "../jobs/jobs.ts";
import { runJob } from "../jobs/run-job.ts";
import { Lifecycle } from "../lifecycle.ts";
import { createLogger } from "../telemetry.ts";
import { OperatorError } from "./operator-error.ts";
import { openEngines } from "./parts.ts";
import { progressOf } from "./progress.ts";

/**
 * Runs a job here and now, as the schedule would: not while another run of it is under way.
 *
 * @throws {OperatorError} where it could not be done
 */
export async function runJobByHand(config: Config, name: JobName, { all = false } = {}): Promise<void> {
  // What became of it is printed; the log would say it twice.
  const logger = createLogger({ level: "silent" });
  const lifecycle = new Lifecycle(logger);
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      stop.abort();
    });
  }
  const { buffer, store } = await openEngines(config, lifecycle, "draining");
  try {
    const job: Job | undefined = all
      ? countsJob(buffer, store, { all })
      : scheduledJobs(config, buffer, store).find((scheduled) => scheduled.job.name === name)?.job;
    if (!job) throw new Error(`there is no job ${name}`);
    const { outcome, detail } = await runJob(job, buffer.jobs, {
      trigger: "command",
      signal: stop.signal,
      log: logger,
      show: (what, total) => progressOf(process.stderr, { what, total }),
    });
    if (outcome !== "done") throw new OperatorError(`${name}: ${outcome}, as ${detail}`);
    console.log(`${name}: ${detail}`);
  } finally {
    await lifecycle.stop("done");
  }
}
