import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect } from "chai";

import { BackupDirectory } from "../../src/jobs/backup-directory.ts";
import { backupJob } from "../../src/jobs/backup.ts";
import { Schedule } from "../../src/jobs/schedule.ts";
import { waitFor } from "../support/wait-for.ts";
import { basic, credentials, OpsStage } from "./stage.ts";

const authorization = basic;
const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

describe("Jobs and backups on the dashboard", () => {
  let stage: OpsStage;
  let folder: string;
  let schedule: Schedule;
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "sluice-ops-backups-"));
    stage = await OpsStage.open({ ...credentials, BACKUP_DIR: folder, COUNTS_CRON: "0 * * * *" });
    const job = backupJob(stage.buffer, new BackupDirectory(folder));
    schedule = new Schedule([{ job, cron: undefined, once: "everywhere" }], stage.buffer.jobs, quiet);
    schedule.start();
  });
  after(async () => {
    await schedule.stop();
    await stage.close();
    rmSync(folder, { recursive: true });
  });

  const page = async (address: string) => (await stage.get(address, { authorization })).text;

  it("run a backup when asked, which is then listed and can be verified", async () => {
    expect(await page("/ops/backups")).to.include("None in BACKUP_DIR");
    const asked = await stage.act("/ops/jobs", { job: "backup" });
    expect([asked.status, asked.headers.location]).to.deep.equal([303, "/ops/jobs?done=asked&count=1"]);
    const listed = await waitFor(
      async () => {
        const text = await page("/ops/jobs");
        return (
          /<td>request<\/td>\s*<td>[^<]*<\/td>\s*<td>done<\/td>/.test(text) && (await page("/ops/backups"))
        );
      },
      { what: "the backup to be done" },
    );
    const [, name = ""] = /name="verify" value="([^"]+)"/.exec(listed) ?? [];
    expect(name).to.match(/^dump_.*\.rdb$/);
    expect((await stage.act("/ops/backups", { verify: name })).headers.location).to.include("done=whole");
    writeFileSync(path.join(folder, name), "damaged");
    const damaged = await stage.act("/ops/backups", { verify: name });
    expect(damaged.status).to.equal(422);
    for (const other of ["../../etc/passwd", "", `${name}x`]) {
      expect((await stage.act("/ops/backups", { verify: other })).status).to.equal(422);
    }
    expect((await stage.audit()).join())
      .to.include(`verify ${name}: whole`)
      .and.include("run job backup: asked for");
  });

  it("show a job that fails first of all, and when each is due", async () => {
    const run = { trigger: "schedule", durationMs: 1234, owner: "host:1", detail: "<b>no room</b>" } as const;
    await stage.buffer.jobs.record("counts", { ...run, startedAtMs: Date.now(), outcome: "failed" });
    expect(await page("/ops")).to.include("The job counts failed: &lt;b&gt;no room&lt;/b&gt;");
    const text = await page("/ops/jobs");
    expect(text).to.include("0 * * * *").and.include("1.2 s").and.not.include("<b>no");
    const nextHour = new Date(Math.ceil(Date.now() / 3_600_000) * 3_600_000);
    expect(text).to.include(nextHour.toISOString().replace("T", " ").slice(0, 19));
    expect((await stage.act("/ops/jobs", { job: "restore" })).status).to.equal(422);
  });

  it("show which processes run", async () => {
    const end = stage.buffer.processes.announce("flusher");
    await waitFor(async () => (await page("/ops")).includes(`<td>${process.pid}</td>`), {
      what: "the process",
    });
    expect(await page("/ops")).to.include("<td>flusher</td>");
    await end();
  });
});
