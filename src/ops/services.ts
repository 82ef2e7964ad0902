import type { Buffer } from "../buffer/buffer.ts";
import type { JobName } from "../buffer/job-runs.ts";
import type { BackupDirectory } from "../jobs/backup-directory.ts";
import type { Guard } from "./access/guard.ts";
import type { Actions } from "./actions.ts";
import type { LiveFeed } from "./live-feed.ts";
import type { Overview } from "./overview.ts";

/** What the routes of the dashboard work with. */
export interface OpsServices {
  readonly buffer: Buffer;
  readonly guard: Guard;
  readonly feed: LiveFeed;
  readonly actions: Actions;
  /** The folder of backups as this process sees it. */
  readonly backups: BackupDirectory;
  /** The jobs of this installation, and when each is due. */
  readonly jobTimes: ReadonlyMap<JobName, string | undefined>;
  readonly namespace: string;
  readonly messageMaxBytes: number;
  readonly overview: () => Promise<Overview>;
}
