import type { Buffer } from "../buffer/buffer.ts";
import type { JobName } from "../buffer/job-runs.ts";
import type { Config } from "../config.ts";
import type { Store } from "../store/store.ts";
import { BackupDirectory } from "./backup-directory.ts";
import { backupJob } from "./backup.ts";
import { cleanupJob } from "./cleanup.ts";
import { countsJob } from "./counts.ts";
import { reindexJob } from "./reindex.ts";
import type { ScheduledJob } from "./schedule.ts";

/**
 * The jobs of this installation, and when each is due, in UTC: undefined for one that runs only when a person
 * says so.
 */
export function jobTimes({
  jobs,
  search,
}: Pick<Config, "jobs" | "search">): ReadonlyMap<JobName, string | undefined> {
  const times = new Map<JobName, string | undefined>([
    ["counts", jobs.countsCron],
    ["backup", jobs.backupCron],
    ["cleanup", jobs.cleanupCron],
  ]);
  return search.elasticsearchUrl === undefined ? times : times.set("reindex", undefined);
}

/** Every job of this installation, and when it is due. */
export function scheduledJobs(config: Config, buffer: Buffer, store: Store): readonly ScheduledJob[] {
  const { jobs, search, redis } = config;
  const directory = new BackupDirectory(jobs.backupDirectory);
  const all = [
    countsJob(buffer, store, { all: false }),
    backupJob(buffer, directory),
    cleanupJob(directory, jobs.backupKeepHours),
    ...(search.elasticsearchUrl === undefined
      ? []
      : [reindexJob(store, search.elasticsearchUrl, redis.namespace)]),
  ];
  const times = jobTimes(config);
  return all.map((job) => ({
    job,
    cron: times.get(job.name),
    // Where hosts have folders of their own, backups lie in each.
    once: job.name === "cleanup" ? "on each host" : "everywhere",
  }));
}
