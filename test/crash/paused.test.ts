import { expect } from "chai";

import { LeaseLostError } from "../../src/flusher/drain-errors.ts";
import { FencedOffError } from "../../src/store/fence.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";
import { describeEnd, recover, runOutLease } from "./course.ts";
import { Gate } from "./gate.ts";
import { MortalProcess } from "./mortal-process.ts";
import { type Act, drain, leaveEverything, sceneIn } from "./step-scenarios.ts";
import { said } from "../support/said.ts";

/** What happens to the records that `leaveEverything` leaves, while the flusher sleeps. */
const changes: Readonly<Record<string, Act>> = {
  "an update of a message": ({ change, token }) => change.updateMessage(token, 1, 6, said("another")),
  "the deletion of a message": ({ change, token }) => change.deleteMessage(token, 1, 6),
  "the deletion of a chat": ({ change, token }) => change.deleteChat(token, 3),
  "the deletion of a chat that was stored before": ({ change, token }) => change.deleteChat(token, 1),
  "the deletion of the application": ({ change, token }) => change.deleteApplication(token),
};

describe("A flusher that is paused after any of its steps, and goes on after another took over", function () {
  this.timeout(600_000);

  let workspace: Workspace;
  let healthy: MortalProcess;

  // Each has a corner of its own: whoever recovers looks at all that there is.
  beforeEach(async () => {
    workspace = await openWorkspace();
    healthy = await MortalProcess.start(workspace.config);
  });

  afterEach(async () => {
    await healthy.end();
    await workspace.close();
  });

  for (const [what, change] of Object.entries(changes)) {
    it(`undoes nothing of ${what}`, async () => {
      const run = async (pausedAfter: number) => {
        const { application } = await sceneIn(healthy, "").change.createApplication("paused");
        const scene = sceneIn(healthy, application.token);
        await leaveEverything(scene);
        const sleeper = await Sleeper.fallAsleep(workspace, application.token, pausedAfter);
        await drain(scene);
        await change(scene);
        await recover(workspace);
        await sleeper.wake();
        await recover(workspace);
        return { steps: sleeper.steps, end: await describeEnd(workspace, scene) };
      };
      const undisturbed = await run(Infinity);
      for (let step = 1; step <= undisturbed.steps; step += 1) {
        const { end } = await run(step);
        expect(end, `paused after step ${step}`).to.equal(undisturbed.end);
      }
    });
  }
});

/** A flusher that drains, and stops in the middle until it is woken. */
class Sleeper {
  readonly #process: MortalProcess;
  readonly #draining: Promise<unknown>;
  readonly #gate: Gate;

  private constructor(process: MortalProcess, draining: Promise<unknown>, gate: Gate) {
    this.#process = process;
    this.#draining = draining;
    this.#gate = gate;
  }

  /** Resolves when it sleeps, or is done before it would, and its lease has run out. */
  static async fallAsleep(workspace: Workspace, token: string, pausedAfter: number): Promise<Sleeper> {
    const gate = new Gate();
    const process = await MortalProcess.start(workspace.config, pausedAfter, gate.pass);
    const draining = drain(sceneIn(process, token)).catch((error: unknown) => error);
    await Promise.race([gate.reached, draining]);
    await runOutLease(workspace);
    return new Sleeper(process, draining, gate);
  }

  get steps(): number {
    return this.#process.steps;
  }

  /** Resolves when it has gone on to its end, which is that of its lease. */
  async wake(): Promise<void> {
    this.#gate.open();
    const end = await this.#draining;
    await this.#process.end();
    const isStopped = end instanceof LeaseLostError || end instanceof FencedOffError;
    if (end !== undefined && !isStopped) throw end as Error;
  }
}
