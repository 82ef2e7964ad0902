import path from "node:path";

import type { Config } from "../config.ts";
import { BackupDirectory, type BackupFile } from "../jobs/backup-directory.ts";
import { inMebibytes } from "../jobs/backup.ts";
import { inspectSnapshot, requireRest, restore, type RestoredPartition } from "../jobs/restore.ts";
import { Lifecycle } from "../lifecycle.ts";
import { createLogger } from "../telemetry.ts";
import { OperatorError } from "./operator-error.ts";
import { openEngines } from "./parts.ts";
import { progressOf } from "./progress.ts";

export interface RestoreOptions {
  /** The latest backup that is whole, in place of a named file. */
  readonly latest: boolean;
  /** Only read it. */
  readonly verify: boolean;
  /** Also where processes run, or Redis holds records that are not flushed. */
  readonly force: boolean;
}

/**
 * Puts a backup back into Redis, in place of all that this installation keeps there, or only verifies it.
 *
 * @throws {OperatorError} where there is nothing to restore, or it would do harm
 */
export async function runRestore(
  config: Config,
  name: string | undefined,
  { latest, verify, force }: RestoreOptions,
): Promise<void> {
  const directory = new BackupDirectory(config.jobs.backupDirectory);
  const files = await choose(directory, name, latest);
  const lifecycle = new Lifecycle(createLogger({ level: "silent" }));
  const { buffer, store } = await openEngines(config, lifecycle, "draining");
  try {
    const contents = await inspectSnapshot(buffer, files);
    console.log(`${files.join(", ")} is whole: ${contents.ownKeys} keys of this installation.`);
    if (verify) return;
    if (!force) await requireRest(buffer);
    await store.ping();
    const show = (what: string, total?: number) => progressOf(process.stderr, { what, total });
    const restored = await restore(buffer, store, files, contents, show);
    for (const line of restored.flatMap(describe)) console.log(line);
    console.log("Restored. Start a flusher and the API again.");
  } finally {
    await lifecycle.stop("done");
  }
}

/** The files that are meant; those that have a sum beside them must fit it. */
async function choose(
  directory: BackupDirectory,
  name: string | undefined,
  latest: boolean,
): Promise<readonly string[]> {
  if (latest === (name !== undefined)) {
    const known = (await directory.list()).map(line);
    throw new OperatorError(
      `Name a file or say --latest. The backups in BACKUP_DIR:\n${known.join("\n") || "  none"}`,
    );
  }
  if (name !== undefined) {
    const file = path.resolve(name);
    const beside = new BackupDirectory(path.dirname(file));
    const known = (await beside.list()).find((backup) => backup.path === file);
    if (!known) return [file];
    await beside.verify(known);
    return known.files;
  }
  const { good, damaged } = await directory.latestGood();
  for (const backup of damaged) console.error(`Passed over, as it is damaged: ${backup.path}`);
  if (!good) throw new OperatorError("There is no backup in BACKUP_DIR that is whole.");
  return good.files;
}

function line({ path: file, bytes }: BackupFile): string {
  return `  ${file}  ${inMebibytes(bytes)}`;
}

/** What a partition has again, and what is gone, as far as anybody knows. */
function describe(restored: RestoredPartition): string[] {
  const { partition, pending, flushesSince, acceptedSince, atMostGone, lastFlushAtMs } = restored;
  const head = `Partition ${partition}: ${pending} records and changes wait for their flush again; ${flushesSince} batches were flushed since the backup.`;
  if (acceptedSince === undefined || lastFlushAtMs === undefined) {
    return [head, "  How many were accepted since then is not known."];
  }
  return [
    head,
    `  ${acceptedSince} records were accepted between the backup and the last flush that MySQL knows, of which at most ${atMostGone ?? 0} are gone.`,
    `  That flush was at ${new Date(lastFlushAtMs).toISOString()}; what was accepted later is gone, and not counted by anybody.`,
  ];
}
