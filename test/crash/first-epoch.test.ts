import { Keys } from "../../src/buffer/keys.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";
import { Gate } from "./gate.ts";
import { MortalProcess } from "./mortal-process.ts";

describe("The first process that looks after the epoch of a new Redis and a new MySQL", () => {
  let workspace: Workspace;
  let stepsInAll: number;

  before(async () => {
    workspace = await openWorkspace();
    const undisturbed = await MortalProcess.start(workspace.config);
    await undisturbed.epochs.verify(0);
    stepsInAll = undisturbed.steps;
    await undisturbed.end();
  });

  after(async () => {
    await workspace.close();
  });

  /** As before any process of Sluice looked. */
  async function forget(): Promise<void> {
    await workspace.sql("partitions").delete();
    await workspace.redis.del(new Keys(workspace.config.redis.namespace, 1).meta(0));
  }

  /** Another process looks. @throws where it takes what it finds for a loss */
  async function lookAgain(): Promise<void> {
    const other = await MortalProcess.start(workspace.config);
    await other.epochs.verify(0);
    await other.end();
  }

  it("leaves nothing that others take for a loss when it dies after any of its steps", async () => {
    for (let step = 1; step <= stepsInAll; step += 1) {
      await forget();
      const first = await MortalProcess.start(workspace.config, step);
      await first.epochs.verify(0).catch(() => undefined);
      await first.end();
      await lookAgain();
    }
  });

  it("takes nothing for a loss, nor do others, when it is paused after any of its steps", async () => {
    for (let step = 1; step <= stepsInAll; step += 1) {
      await forget();
      const gate = new Gate();
      const first = await MortalProcess.start(workspace.config, step, gate.pass);
      const looking = first.epochs.verify(0);
      await Promise.race([gate.reached, looking]);
      await lookAgain();
      gate.open();
      await looking;
      await first.end();
      await lookAgain();
    }
  });
});
