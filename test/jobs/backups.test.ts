import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect } from "chai";
import { Redis } from "ioredis";

import { type Buffer as SluiceBuffer, openBuffer } from "../../src/buffer/buffer.ts";
import { BackupDirectory } from "../../src/jobs/backup-directory.ts";
import { backupJob } from "../../src/jobs/backup.ts";
import { cleanupJob } from "../../src/jobs/cleanup.ts";
import { unseen } from "../../src/jobs/job.ts";
import { inspectSnapshot } from "../../src/jobs/restore.ts";
import { roomyLimits, seed } from "../support/buffers.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { operationIdOf, requestOf } from "../support/requests.ts";
import { waitFor } from "../support/wait-for.ts";

const hourMs = 3600 * 1000;
const never = new AbortController().signal;
const limits = { ...roomyLimits, maxRecords: 1e6 };
const parent = { token: "application", chatNumber: 1 };

describe("Backups", function () {
  let engine: PrivateEngine;
  let redis: Redis;
  let draining: SluiceBuffer;
  let requests: SluiceBuffer;
  let folder: string;
  let directory: BackupDirectory;
  let accepted = 0;

  before(async () => {
    engine = await PrivateEngine.start("redis", ["--repl-diskless-sync-delay", "0"]);
    const settings = { url: engine.env["REDIS_URL"] ?? "", namespace: "test", partitions: 1, limits };
    draining = await openBuffer(settings, "draining");
    requests = await openBuffer(settings, "requests");
    redis = new Redis(settings.url);
    await seed(requests, parent, 0);
    for (let at = 0; at < 30; at += 1) await accept(100);
    for (let at = 0; at < 200; at += 1) await redis.set(`theirs:${at}`, "x".repeat(10_000));
  });

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "sluice-backups-"));
    directory = new BackupDirectory(folder);
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  after(async () => {
    draining.close();
    requests.close();
    redis.disconnect();
    await engine.close();
  });

  async function accept(count: number): Promise<void> {
    const kinds = Array.from({ length: count }, () => {
      accepted += 1;
      return requests.accepting.accept(parent, requestOf(operationIdOf(accepted), `message ${accepted}`));
    });
    for (const { kind } of await Promise.all(kinds)) expect(kind).to.equal("accepted");
  }

  const backUp = (to = directory) => backupJob(draining, to).run(never, unseen);
  const failureOf = (act: Promise<unknown>) =>
    act.then(
      () => "none",
      (error: unknown) => String(error),
    );

  it("have a name by the time in UTC, a sum beside them, and are read by their owner alone", async () => {
    expect(await backUp()).to.match(/^wrote dump_\d{4}(-\d\d){2}_\d\d(-\d\d){2}\.rdb, \d\.\d MiB$/);
    const [backup] = await directory.list();
    const { path: file = "", takenAtMs = 0 } = backup ?? {};
    expect(Date.now() - takenAtMs).to.be.within(0, 60_000);
    expect(statSync(file).mode & 0o777).to.equal(0o600);
    expect(
      execFileSync("sha256sum", ["-c", `${path.basename(file)}.sha256`], { cwd: folder, encoding: "utf8" }),
    ).to.equal(`${path.basename(file)}: OK\n`);
    expect((await inspectSnapshot(draining, [file])).ownKeys).to.be.above(3);
    expect(readdirSync(folder).length).to.equal(2);
  });

  it("of one second each have a name of their own", async () => {
    for (let at = 0; at < 3; at += 1) await backUp();
    expect((await directory.list()).length).to.equal(3);
  });

  it("are made while records are accepted, and none of those fails", async () => {
    // The process that saves is slowed, so that it is under way for a second or more.
    await redis.config("SET", "rdb-key-save-delay", "5000");
    const done = new AbortController();
    const backup = backUp().finally(() => {
      done.abort();
    });
    let calls = 0;
    for (; !done.signal.aborted; calls += 1) await accept(20);
    await backup;
    await redis.config("SET", "rdb-key-save-delay", "0");
    expect(calls).to.be.above(10);
    expect((await directory.latestGood()).good).to.not.equal(undefined);
  });

  it("that break off in the middle are reported, and leave those before as they were and nothing else", async () => {
    await backUp();
    const before = readdirSync(folder);
    await redis.config("SET", "rdb-key-save-delay", "5000");
    const failed = failureOf(backUp());
    const partial = () => readdirSync(folder).find((name) => name.endsWith(".partial"));
    await waitFor(() => partial() !== undefined, { what: "the unfinished file" });
    await redis.call("CLIENT", "KILL", "TYPE", "replica");
    expect(await failed).to.match(/SnapshotRefusedError: Redis gave no snapshot/);
    await redis.config("SET", "rdb-key-save-delay", "0");
    expect(readdirSync(folder)).to.deep.equal(before);
  });

  it("that find the disk full are reported, and leave those before as they were", async function () {
    const disk = path.join(folder, "disk");
    mkdirSync(disk);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=600k", "tmpfs", disk], { stdio: "ignore" });
    } catch {
      this.skip();
    }
    try {
      const small = new BackupDirectory(disk);
      const earlier = path.join(disk, "dump_2026-01-01_00-00-00.rdb");
      writeFileSync(earlier, "earlier");
      // What compresses to more than the disk has.
      await redis.set(
        "theirs:large",
        Buffer.from(Array.from({ length: 900_000 }, () => Math.random() * 256)),
      );
      expect(await failureOf(backUp(small))).to.match(/ENOSPC/);
      expect(readdirSync(disk)).to.deep.equal([path.basename(earlier)]);
      expect(readFileSync(earlier, "utf8")).to.equal("earlier");
    } finally {
      await redis.del("theirs:large");
      execFileSync("umount", [disk]);
    }
  });

  describe("that are old", () => {
    const now = Date.now();
    const nameAt = (ageHours: number) => {
      const time = new Date(now - ageHours * hourMs).toISOString().slice(0, 19);
      return path.join(folder, `dump_${time.replace("T", "_").replaceAll(":", "-")}.rdb`);
    };

    /** Puts a good backup there that was made so long ago, or a damaged one. */
    async function put(ageHours: number, isDamaged = false): Promise<string> {
      await directory.write(draining.snapshots.take(never), now - ageHours * hourMs, () => Promise.resolve());
      if (isDamaged) writeFileSync(nameAt(ageHours), "damaged");
      return path.basename(nameAt(ageHours));
    }

    const clean = () => cleanupJob(directory, 24).run(never, unseen);
    const left = async () => (await directory.list()).map((file) => path.basename(file.path));

    it("go, but for the latest three that are good; a damaged one counts as none", async () => {
      const young = [await put(1, true), await put(2)];
      const oldButGood = [await put(30), await put(50)];
      await put(60);
      await put(70, true);
      expect(await clean()).to.equal("removed 2 old backups, kept 4");
      expect(await left()).to.deep.equal([...young, ...oldButGood]);
      expect(readdirSync(folder).length).to.equal(8);
    });

    it("all stay where there are no others", async () => {
      const old = [await put(100), await put(200), await put(300)];
      expect(await clean()).to.equal("removed 0 old backups, kept 3");
      expect(await left()).to.deep.equal(old);
      expect((await directory.latestGood()).good?.path).to.equal(nameAt(100));
    });

    it("and unfinished go after an hour, and nobody else's file is touched", async () => {
      const names = ["dump_2026-01-01_00-00-00.rdb.partial", "dump_2026-01-01_00-00-00.rdb.sha256"];
      const kept = ["dump_2026-01-02_00-00-00.rdb.partial", "dump.rdb", "notes.txt", "theirs.partial"];
      for (const name of [...names, ...kept]) writeFileSync(path.join(folder, name), "");
      const longAgo = new Date(Date.now() - 2 * hourMs);
      for (const name of [...names, ...kept.slice(1)]) utimesSync(path.join(folder, name), longAgo, longAgo);
      await clean();
      expect(readdirSync(folder).sort()).to.deep.equal(kept.sort());
    });
  });

  it("are none where there is no folder yet", async () => {
    const none = new BackupDirectory(path.join(folder, "none"));
    expect([await none.list(), (await none.latestGood()).good]).to.deep.equal([[], undefined]);
    expect(existsSync(path.join(folder, "none"))).to.equal(false);
  });
});
