import { expect } from "chai";

import { lossOf } from "../../src/epoch-guard.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";
import { recover, runOutLease } from "./course.ts";
import { MortalProcess } from "./mortal-process.ts";
import { type Act, drain, sceneIn } from "./step-scenarios.ts";
import { said } from "../support/said.ts";

/** What a flush of one batch does, each unlike what is stored. */
const batches: Readonly<Record<string, Act>> = {
  "new records": ({ accept, token }) => accept.message(token, 1, said("new")),
  "changed records": ({ change, token }) => change.updateMessage(token, 1, 1, said("changed")),
  "new and changed records": async (scene) => {
    await batches["changed records"]?.(scene);
    await batches["new records"]?.(scene);
  },
};

describe("A flush whose process dies after any of its steps", function () {
  this.timeout(600_000);

  let workspace: Workspace;
  let healthy: MortalProcess;

  before(async () => {
    workspace = await openWorkspace();
    healthy = await MortalProcess.start(workspace.config);
  });

  after(async () => {
    await healthy.end();
    await workspace.close();
  });

  /** The bodies of an application, and whether a Redis of this sequence would be found to be behind: as of one moment. */
  async function look(token: string, flushSequence: number): Promise<{ bodies: string; isBehind: boolean }> {
    return workspace.sql.transaction(async (transaction) => {
      const rows = (await transaction("messages")
        .where({ application_token: token })
        .select("body")
        .orderBy("number")) as { body: string }[];
      const row: { epoch: string; flush_sequence: number } | undefined = await transaction(
        "partitions",
      ).first("epoch", "flush_sequence");
      if (!row) throw new Error("no epoch has begun");
      const { epoch } = row;
      const redis = { epoch, flushSequence, committed: 0, losses: 0 };
      const loss = lossOf(redis, { epoch, flushSequence: row.flush_sequence, losses: 0, touched: 0 });
      return { bodies: rows.map(({ body }) => body).join(), isBehind: loss !== undefined };
    });
  }

  /** Flushes up to a step; answers what was there before and after, and how many steps there were. */
  async function flush(act: Act, lastStep: number) {
    const { application } = await sceneIn(healthy, "").change.createApplication("counted");
    const scene = sceneIn(healthy, application.token);
    await scene.accept.chat(scene.token, said("chat"));
    await scene.accept.message(scene.token, 1, said("stored"));
    await drain(scene);
    await act(scene);
    const { flushSequence } = await healthy.buffer.epochs.read(0);
    const before = await look(scene.token, flushSequence);
    const mortal = await MortalProcess.start(workspace.config, lastStep);
    await drain(sceneIn(mortal, scene.token)).catch(() => undefined);
    const { steps } = mortal;
    await mortal.end();
    const after = await look(scene.token, flushSequence);
    const redis = await healthy.buffer.epochs.read(0);
    const stored = await healthy.store.epochs.read(0);
    await runOutLease(workspace);
    await recover(workspace);
    return { steps, before, after, ahead: redis.flushSequence - (stored?.flushSequence ?? 0) };
  }

  for (const [what, act] of Object.entries(batches)) {
    it(`has its rows in MySQL and is counted there, or neither, with ${what}`, async () => {
      const { steps, before, after } = await flush(act, Infinity);
      expect(before.isBehind).to.equal(false);
      expect(after.isBehind).to.equal(true);
      for (let lastStep = 1; lastStep <= steps; lastStep += 1) {
        const end = await flush(act, lastStep);
        if (end.after.bodies !== before.bodies) expect(end.after.isBehind, `step ${lastStep}`).to.equal(true);
        if (end.after.isBehind) expect(end.after.bodies, `step ${lastStep}`).to.not.equal(before.bodies);
        expect(end.ahead, `step ${lastStep}`).to.be.at.least(0);
      }
    });
  }
});
