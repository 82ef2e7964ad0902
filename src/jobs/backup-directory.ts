import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { SnapshotError } from "../buffer/rdb/cursor.ts";
import { digestOf } from "../buffer/rdb/snapshot-file.ts";

/** A backup on disk, with the sums that were taken when it was written beside it. */
export interface BackupFile {
  /** Its first file, and its name; of a cluster there is a file of each master. */
  readonly path: string;
  /** All of its files. */
  readonly files: readonly string[];
  readonly takenAtMs: number;
  /** Of all files. */
  readonly bytes: number;
}

const namePattern = /^dump_(\d{4}-\d\d-\d\d)_(\d\d)-(\d\d)-(\d\d)\.rdb$/;
const partialPattern = /^dump_[\d_-]+(\.part-\d+)?\.rdb(\.sha256)?\.partial$/;
/** What is worth nothing without its backup: its sums, and the files beyond its first. */
const companionPattern = /^(dump_[\d_-]+)(?:\.rdb\.sha256|\.part-\d+\.rdb)$/;

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
    const names = (await this.#names()).sort();
    for (const name of names.toReversed()) {
      const [, day, hours, minutes, seconds] = namePattern.exec(name) ?? [];
      if (day === undefined) continue;
      const files = [name, ...names.filter((other) => isPartOf(name, other))].map((one) =>
        path.join(this.#directory, one),
      );
      const [file = ""] = files;
      // It may be cleaned away between the two looks.
      const sizes = await Promise.all(files.map((one) => sizeOf(one)));
      if (sizes[0] === undefined) continue;
      const bytes = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
      found.push({
        path: file,
        files,
        takenAtMs: Date.parse(`${day}T${hours}:${minutes}:${seconds}Z`),
        bytes,
      });
    }
    return found;
  }

  /**
   * Writes a backup; when it resolves the backup is on disk, was read back and has its name and its sums. Where it fails
   * nothing of it stays, and every other backup is as it was.
   *
   * @param parts the bytes of each of its files
   * @param check looks at the finished files before they get their names, and throws where they are no good
   */
  async write(
    parts: Iterable<AsyncIterable<Uint8Array>>,
    takenAtMs: number,
    check: (files: readonly string[]) => Promise<void>,
  ): Promise<BackupFile> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const target = await this.#freePath(takenAtMs);
    const files: string[] = [];
    const written: WrittenFile[] = [];
    try {
      for (const part of parts) {
        const file = partPath(target, files.length + 1);
        files.push(file);
        written.push(await writeVerified(partial(file), part));
      }
      await check(files.map(partial));
      const sums = files
        .map((file, nth) => `${written[nth]?.sha256 ?? ""}  ${path.basename(file)}\n`)
        .join("");
      await writeDurably(sumPath(target), [Buffer.from(sums)]);
      // The first one last: with its name the backup is there.
      for (const file of files.toReversed()) await rename(partial(file), file);
      await this.#sync();
    } catch (error) {
      await removeUnfinished(target, files);
      throw error;
    }
    const bytes = written.reduce((sum, file) => sum + file.bytes, 0);
    return { path: target, files, takenAtMs, bytes };
  }

  /** Reads a backup whole. @throws {SnapshotError} where it is damaged or has no sums beside it */
  async verify({ path: first, files }: BackupFile): Promise<void> {
    const noted = await readFile(sumPath(first), "utf8").catch(ignoreMissing);
    if (noted === undefined) throw new SnapshotError("it has no sum beside it");
    for (const [, sha256, name = ""] of noted.matchAll(/^(\S+) {2}(.+)$/gm)) {
      const file = path.join(this.#directory, path.basename(name));
      const bytes = await sizeOf(file);
      if (bytes === undefined) throw new SnapshotError(`its file ${name} is missing`);
      if ((await digestOf(file, bytes)) !== sha256)
        throw new SnapshotError("its sum does not fit: it is damaged");
    }
    if (!files.every((file) => noted.includes(`  ${path.basename(file)}\n`))) {
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
      for (const one of file.files) await rm(one, { force: true });
      await rm(sumPath(file.path), { force: true });
      removed += 1;
    }
    await this.#removeAbandoned(nowMs);
    return { removed, kept };
  }

  async #removeAbandoned(nowMs: number): Promise<void> {
    const names = await this.#names();
    const present = new Set(names);
    const abandoned = names.filter((name) => {
      const backup = companionPattern.exec(name)?.[1];
      return partialPattern.test(name) || (backup !== undefined && !present.has(`${backup}.rdb`));
    });
    for (const name of abandoned) {
      const file = path.join(this.#directory, path.basename(name));
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

interface WrittenFile {
  readonly sha256: string;
  readonly bytes: number;
}

function partPath(target: string, nth: number): string {
  return nth === 1 ? target : target.replace(/\.rdb$/, `.part-${nth}.rdb`);
}

function isPartOf(backup: string, name: string): boolean {
  return name.startsWith(backup.replace(/rdb$/, "part-")) && name.endsWith(".rdb");
}

const sumPath = (file: string) => `${file}.sha256`;
const partial = (file: string) => `${file}.partial`;

async function removeUnfinished(target: string, files: readonly string[]): Promise<void> {
  for (const file of files) await rm(partial(file), { force: true });
  // With its first file it is whole.
  if (await exists(target)) return;
  for (const file of files) await rm(file, { force: true });
  await rm(sumPath(target), { force: true });
}

async function writeVerified(file: string, chunks: AsyncIterable<Uint8Array>): Promise<WrittenFile> {
  const { sha256, bytes } = await writeDurably(file, chunks);
  if ((await digestOf(file, bytes)) !== sha256) throw new SnapshotError("the disk gave back other bytes");
  return { sha256, bytes };
}

async function writeDurably(
  file: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<WrittenFile> {
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

async function sizeOf(file: string): Promise<number | undefined> {
  return stat(file)
    .then(({ size }) => size)
    .catch(ignoreMissing);
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(ignoreMissing)) !== undefined;
}

function ignoreMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}
