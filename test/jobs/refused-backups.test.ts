import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect } from "chai";
import { Redis } from "ioredis";

import { type Buffer, openBuffer } from "../../src/buffer/buffer.ts";
import type { JobRun } from "../../src/buffer/job-runs.ts";
import { BackupDirectory } from "../../src/jobs/backup-directory.ts";
import { backupJob } from "../../src/jobs/backup.ts";
import { withSnapshot } from "../../src/jobs/restore.ts";
import { runJob } from "../../src/jobs/run-job.ts";
import { roomyLimits, seed } from "../support/buffers.ts";
import { redisUsers } from "../support/least-rights.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { operationIdOf, requestOf } from "../support/requests.ts";

const parent = { token: "application", chatNumber: 1 };
const never = new AbortController().signal;
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

const remedy =
  "Its user needs SYNC and REPLCONF; where the service forbids them, use backups of its own and set BACKUP_CRON=off";

describe("A backup of a Redis that limits its users", () => {
  let folder: string;
  let opened: { close(): void }[] = [];
  let engine: PrivateEngine;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "sluice-backups-"));
  });

  afterEach(async () => {
    for (const one of opened) one.close();
    opened = [];
    rmSync(folder, { recursive: true });
    await engine.close();
  });

  async function start(...extraArgs: readonly string[]): Promise<string> {
    engine = await PrivateEngine.start("redis", ["--repl-diskless-sync-delay", "0", ...extraArgs]);
    const url = engine.env["REDIS_URL"] ?? "";
    const buffer = await open(url);
    await seed(buffer, parent, 0);
    await buffer.accepting.accept(parent, requestOf(operationIdOf(1), "kept"));
    return url;
  }

  async function open(url: string): Promise<Buffer> {
    const buffer = await openBuffer(
      { url, namespace: "sluice", partitions: 1, limits: roomyLimits },
      "draining",
    );
    opened.push(buffer);
    return buffer;
  }

  /** The address of a user that operators are told to make, or of one that may do less. */
  async function addressOf(url: string, name: string, ...less: readonly string[]): Promise<string> {
    const admin = new Redis(url);
    const rules = redisUsers().find((user) => user.name === name)?.rules ?? [];
    await admin.call("ACL", "SETUSER", name, ...rules, ...less);
    admin.disconnect();
    const address = new URL(url);
    [address.username, address.password] = [name, "change-me"];
    return address.href;
  }

  /** Runs the job as a flusher does. */
  async function backUp(buffer: Buffer): Promise<JobRun> {
    const directory = new BackupDirectory(folder);
    return runJob(backupJob(buffer, directory), buffer.jobs, {
      trigger: "command",
      signal: never,
      log: silent,
    });
  }

  const refusals: readonly (readonly [string, RegExp, (url: string) => Promise<string>, ...string[]])[] = [
    ["to its user", /^NOPERM .*'?replconf'?/i, (url) => addressOf(url, "sluice")],
    ["alone to its user", /^NOPERM .*'?sync'?/i, (url) => addressOf(url, "sluice_backup", "-sync")],
    [
      "to everybody",
      /^ERR unknown command .SYNC./i,
      (url) => Promise.resolve(url),
      "--rename-command",
      "SYNC",
      "",
    ],
  ];
  for (const [whom, words, addressAs, ...extraArgs] of refusals) {
    it(`that refuses SYNC ${whom} fails with what to do, is noted under its name, and leaves no file`, async () => {
      const buffer = await open(await addressAs(await start(...extraArgs)));
      const { outcome, detail } = await backUp(buffer);
      expect(outcome).to.equal("failed");
      const [, said = "", told] = /^Redis gave no snapshot: (.*)\. (Its user .*)$/.exec(detail) ?? [];
      expect(said, detail).to.match(words);
      expect(told).to.equal(remedy);
      expect(readdirSync(folder)).to.deep.equal([]);
      const { runs, isRunning } = await buffer.jobs.status("backup");
      expect(runs.map((run) => [run.outcome, run.detail])).to.deep.equal([["failed", detail]]);
      expect(isRunning).to.equal(false);
    });
  }

  it("succeeds, and is restored, by the user that operators are told to make for it", async () => {
    const url = await start();
    const buffer = await open(await addressOf(url, "sluice_backup"));
    expect((await backUp(buffer)).outcome).to.equal("done");
    await buffer.accepting.accept(parent, requestOf(operationIdOf(2), "gone"));
    const [backup] = await new BackupDirectory(folder).list();
    await withSnapshot(backup?.files ?? [], (files) => buffer.snapshots.load(files, () => undefined));
    expect((await buffer.totals.read(0)).pending.messages).to.equal(1);
  });
});
