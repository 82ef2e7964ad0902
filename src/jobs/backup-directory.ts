import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { SnapshotError } from "../buffer/rdb/cursor.ts";
import { digestOf } from "../buffer/rdb/snapshot-file.ts";

/** A backup on disk, with the sum that was taken when it was written beside it. */
export interface BackupFile {
  readonly path: string;
  readonly takenAtMs: number;
  readonly bytes: number;
}

const namePattern = /^dump_(\d{4}-\d\d-\d\d)_(\d\d)-(\d\d)-(\d\d)\.rdb$/;
const partialPattern = /^dump_[\d_-]+\.rdb(\.sha256)?\.partial$/;
const sumPattern = /^(dump_[\d_-]+\.rdb)\.sha256$/;

/** A file that was not finished is left by a process that died; one that is being written is younger. */
const abandonedAfterMs = 3600 * 1000;
/** So many good backups stay, however old they are. */
const goodOnesKept = 3;
const fileMode = 0o600;

/** The folder with the backups. A file has its name only once it is whole and on disk. */
export class BackupDirectory {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = path.resolve(directory);
  }

  /** The backups, the latest first. None where there is no such folder. */
  async list(): Promise<BackupFile[]> {
    const found: BackupFile[] = [];
    for (const name of (await this.#names()).sort().reverse()) {
      const [, day, hours, minutes, seconds] = namePattern.exec(name) ?? [];
      if (day === undefined) continue;
      const file = path.join(this.#directory, name);
      // It may be cleaned away between the two looks.
      const bytes = await stat(file)
        .then(({ size }) => size)
        .catch(ignoreMissing);
      if (bytes === undefined) continue;
      found.push({ path: file, takenAtMs: Date.parse(`${day}T${hours}:${minutes}:${seconds}Z`), bytes });
    }
    return found;
  }

  /**
   * Writes a backup; when it resolves the backup is on disk, was read back and has its name and its sum. Where it fails
   * nothing of it stays, and every other backup is as it was.
   *
   * @param check looks at the finished file before it gets its name, and throws where it is no good
   */
  async write(
    snapshot: AsyncIterable<Uint8Array>,
    takenAtMs: number,
    check: (path: string) => Promise<void>,
  ): Promise<BackupFile> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const target = await this.#freePath(takenAtMs);
    const partial = `${target}.partial`;
    const sum = `${target}.sha256`;
    try {
      const { sha256, bytes } = await writeDurably(partial, snapshot);
      if ((await digestOf(partial, bytes)) !== sha256)
        throw new SnapshotError("the disk gave back other bytes");
      await check(partial);
      await writeDurably(sum, [Buffer.from(`${sha256}  ${path.basename(target)}\n`)]);
      await rename(partial, target);
      await this.#sync();
      return { path: target, takenAtMs, bytes };
    } catch (error) {
      await rm(partial, { force: true });
      if (!(await exists(target))) await rm(sum, { force: true });
      throw error;
    }
  }

  /** Reads a backup whole. @throws {SnapshotError} where it is damaged or has no sum beside it */
  async verify(file: BackupFile): Promise<void> {
    const noted = await readFile(`${file.path}.sha256`, "utf8").catch(ignoreMissing);
    if (noted === undefined) throw new SnapshotError("it has no sum beside it");
    if (!noted.startsWith(await digestOf(file.path, file.bytes))) {
      throw new SnapshotError("its sum does not fit: it is damaged");
    }
  }

  /** The latest backup that is whole, and those that were looked at before it and are not. */
  async latestGood(): Promise<{ good: BackupFile | undefined; damaged: readonly BackupFile[] }> {
    const damaged: BackupFile[] = [];
    for (const file of await this.list()) {
      if (await this.#isGood(file)) return { good: file, damaged };
      damaged.push(file);
    }
    return { good: undefined, damaged };
  }

  /**
   * Removes backups older than that and what unfinished ones left. The latest good ones stay, whatever their
   * age; a damaged one counts as none. Answers how many backups were removed.
   */
  async clean(
    keepMs: number,
    nowMs: number,
    signal: AbortSignal,
  ): Promise<{ removed: number; kept: number }> {
    let [good, removed, kept] = [0, 0, 0];
    for (const file of await this.list()) {
      signal.throwIfAborted();
      const isNeeded = good < goodOnesKept && (await this.#isGood(file));
      if (isNeeded) good += 1;
      if (isNeeded || nowMs - file.takenAtMs <= keepMs) {
        kept += 1;
        continue;
      }
      await rm(file.path, { force: true });
      await rm(`${file.path}.sha256`, { force: true });
      removed += 1;
    }
    await this.#removeAbandoned(nowMs);
    return { removed, kept };
  }

  async #removeAbandoned(nowMs: number): Promise<void> {
    const names = await this.#names();
    const present = new Set(names);
    const abandoned = names.filter((name) => {
      const dump = sumPattern.exec(name)?.[1];
      return partialPattern.test(name) || (dump !== undefined && !present.has(dump));
    });
    for (const name of abandoned) {
      const file = path.join(this.#directory, name);
      const changedAtMs = await stat(file)
        .then(({ mtimeMs }) => mtimeMs)
        .catch(ignoreMissing);
      if (changedAtMs !== undefined && nowMs - changedAtMs > abandonedAfterMs)
        await rm(file, { force: true });
    }
  }

  async #isGood(file: BackupFile): Promise<boolean> {
    return this.verify(file).then(
      () => true,
      () => false,
    );
  }

  /** A path by the time, or the next second that is free. */
  async #freePath(takenAtMs: number): Promise<string> {
    for (let atMs = takenAtMs; ; atMs += 1000) {
      const time = new Date(atMs).toISOString().slice(0, 19).replace("T", "_").replaceAll(":", "-");
      const target = path.join(this.#directory, `dump_${time}.rdb`);
      if (!(await exists(target))) return target;
    }
  }

  async #names(): Promise<string[]> {
    return (await readdir(this.#directory).catch(ignoreMissing)) ?? [];
  }

  /** Makes the names of its files outlast a failure of the machine. */
  async #sync(): Promise<void> {
    const directory = await open(this.#directory, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}

async function writeDurably(
  file: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<{ sha256: string; bytes: number }> {
  const sha256 = createHash("sha256");
  const handle = await open(file, "w", fileMode);
  try {
    let bytes = 0;
    for await (const chunk of chunks) {
      sha256.update(chunk);
      await writeFile(handle, chunk);
      bytes += chunk.length;
    }
    await handle.sync();
    return { sha256: sha256.digest("hex"), bytes };
  } finally {
    await handle.close();
  }
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(ignoreMissing)) !== undefined;
}

function ignoreMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}
