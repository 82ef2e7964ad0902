import type { BackupDirectory } from "./backup-directory.ts";
import type { Job } from "./job.ts";

/** Removes old backups, and what unfinished ones left behind. */
export function cleanupJob(directory: BackupDirectory, keepHours: number): Job {
  return {
    name: "cleanup",
    run: async (signal) => {
      const { removed, kept } = await directory.clean(keepHours * 3600 * 1000, Date.now(), signal);
      return `removed ${removed} old backups, kept ${kept}`;
    },
  };
}
