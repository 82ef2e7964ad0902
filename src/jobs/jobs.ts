import type { Buffer } from "../buffer/buffer.ts";
import type { Config } from "../config.ts";
import type { Store } from "../store/store.ts";
import { BackupDirectory } from "./backup-directory.ts";
import { backupJob } from "./backup.ts";
import { cleanupJob } from "./cleanup.ts";
import { countsJob } from "./counts.ts";
import type { ScheduledJob } from "./schedule.ts";

/** Every job, and when it is due. */
export function scheduledJobs({ jobs }: Config, buffer: Buffer, store: Store): readonly ScheduledJob[] {
  const directory = new BackupDirectory(jobs.backupDirectory);
  return [
    { job: countsJob(buffer, store, { all: false }), cron: jobs.countsCron, once: "everywhere" },
    { job: backupJob(buffer, directory), cron: jobs.backupCron, once: "everywhere" },
    // Where hosts have folders of their own, backups lie in each.
    { job: cleanupJob(directory, jobs.backupKeepHours), cron: jobs.cleanupCron, once: "on each host" },
  ];
}
