import path from "node:path";

import type { Buffer } from "../buffer/buffer.ts";
import { SnapshotFile } from "../buffer/rdb/snapshot-file.ts";
import type { BackupDirectory } from "./backup-directory.ts";
import type { Job, ShowProgress } from "./job.ts";

const mebibyte = 1024 * 1024;

/** Takes a snapshot of Redis, and makes sure that it could be restored before it is called a backup. */
export function backupJob(buffer: Buffer, directory: BackupDirectory): Job {
  return {
    name: "backup",
    run: async (signal, show) => {
      const chunks = watched(buffer.snapshots.take(signal), show);
      const backup = await directory.write(chunks, Date.now(), (file) => check(buffer, file));
      return `wrote ${path.basename(backup.path)}, ${inMebibytes(backup.bytes)}`;
    },
  };
}

/** Reads a snapshot as a restore would. @throws {SnapshotError} where that could not use it */
async function check(buffer: Buffer, file: string): Promise<void> {
  const snapshot = new SnapshotFile(file);
  try {
    await buffer.snapshots.inspect(snapshot);
  } finally {
    snapshot.close();
  }
}

async function* watched(chunks: AsyncIterable<Uint8Array>, show: ShowProgress): AsyncGenerator<Uint8Array> {
  const progress = show("bytes of the snapshot");
  for await (const chunk of chunks) {
    yield chunk;
    progress.advance(chunk.length);
  }
  progress.done();
}

/** Bytes as people read them. */
export function inMebibytes(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(1)} MiB`;
}
