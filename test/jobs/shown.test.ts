import { expect } from "chai";

import type { Buffer } from "../../src/buffer/buffer.ts";
import type { Job } from "../../src/jobs/job.ts";
import { runJob } from "../../src/jobs/run-job.ts";
import { createMetricsText } from "../../src/ops/buffer-metrics.ts";
import { checkReadiness } from "../../src/ops/readiness.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { openTestBuffer } from "../support/buffers.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const ignore = () => undefined;
const log = { info: ignore, warn: ignore, error: ignore };

describe("What became of scheduled work", () => {
  let workspace: Workspace;
  let buffer: Buffer;
  let store: Store;

  before(async () => {
    workspace = await openWorkspace();
    buffer = await openTestBuffer(workspace, "draining");
    store = openStore(workspace.config.database, "writing");
    await run({ name: "counts", run: () => Promise.resolve("recounted 3 dirty parents") });
    await run({ name: "backup", run: () => Promise.resolve("wrote a backup") });
    await run({ name: "backup", run: () => Promise.reject(new Error("the disk is full")) });
  });

  after(async () => {
    buffer.close();
    await store.close();
    await workspace.close();
  });

  const run = (job: Job) =>
    runJob(job, buffer.jobs, { trigger: "schedule", signal: new AbortController().signal, log });

  it("is told by readiness where it is asked for, and a failed job makes nothing unready", async () => {
    const checks = await checkReadiness(buffer, store, true);
    expect(checks.map(({ name, ready }) => `${name} ${ready}`)).to.deep.equal([
      "redis true",
      "database true",
      "job counts true",
      "job backup true",
      "job cleanup true",
      "job reindex true",
    ]);
    const [, , counts, backup, cleanup] = checks.map(({ detail }) => detail);
    expect(counts).to.match(/^done 2\S+Z: recounted 3 dirty parents$/);
    expect(backup).to.match(/^failed 2\S+Z: the disk is full; last done 2\S+Z$/);
    expect(cleanup).to.equal("has not run yet");
    expect((await checkReadiness(buffer, store, false)).length).to.equal(2);
  });

  it("is in the metrics, read as often as they are", async () => {
    const text = createMetricsText(
      buffer,
      () => Promise.resolve([]),
      () => Promise.resolve(""),
    );
    await text();
    const shown = await text();
    for (const line of [
      'sluice_job_runs_total{job_name="backup",outcome="done"} 1',
      'sluice_job_runs_total{job_name="backup",outcome="failed"} 1',
      'sluice_job_failing{job_name="backup"} 1',
      'sluice_job_failing{job_name="counts"} 0',
      'sluice_job_last_done_timestamp_seconds{job_name="cleanup"} 0',
    ]) {
      expect(shown).to.include(`\n${line}\n`);
    }
  });

  it("quotes no statement of MySQL, which may hold a token", async () => {
    const failure = Object.assign(new Error("update … 'a token'"), {
      code: "ER_LOCK_DEADLOCK",
      sql: "update",
    });
    const { detail } = await run({ name: "counts", run: () => Promise.reject(failure) });
    expect(detail).to.equal("MySQL answered ER_LOCK_DEADLOCK");
  });
});
