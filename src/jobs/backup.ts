import path from "node:path";

import type { Buffer } from "../buffer/buffer.ts";
import type { BackupDirectory } from "./backup-directory.ts";
import type { Job, ShowProgress } from "./job.ts";
import { withSnapshot } from "./restore.ts";

const mebibyte = 1024 * 1024;

/** Takes a snapshot of Redis, and makes sure that it could be restored before it is called a backup. */
export function backupJob(buffer: Buffer, directory: BackupDirectory): Job {
  return {
    name: "backup",
    run: async (signal, show) => {
      const parts = watched(buffer.snapshots.take(signal), show);
      const backup = await directory.write(parts, Date.now(), (files) => check(buffer, files));
      return `wrote ${path.basename(backup.path)}, ${inMebibytes(backup.bytes)}`;
    },
  };
}

/** Reads a snapshot as a restore would. @throws {SnapshotError} where that could not use it */
async function check(buffer: Buffer, files: readonly string[]): Promise<void> {
  await withSnapshot(files, (snapshot) => buffer.snapshots.inspect(...snapshot));
}

function* watched(
  parts: Iterable<AsyncIterable<Uint8Array>>,
  show: ShowProgress,
): Generator<AsyncIterable<Uint8Array>> {
  const progress = show("bytes of the snapshot");
  const counted = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      yield chunk;
      progress.advance(chunk.length);
    }
  };
  for (const part of parts) yield counted(part);
  progress.done();
}

/** Bytes as people read them. */
export function inMebibytes(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(1)} MiB`;
}
