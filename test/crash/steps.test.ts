import { expect } from "chai";

import { openWorkspace, type Workspace } from "../support/workspace.ts";
import { describeEnd, recover } from "./course.ts";
import { MortalProcess } from "./mortal-process.ts";
import { type Scenario, sceneIn, scenarios } from "./step-scenarios.ts";

describe("A process that dies after any of its steps", function () {
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

  for (const scenario of scenarios) {
    it(`while ${scenario.title}, leaves it done or not done, and nothing else`, async () => {
      const course = new Course(workspace, healthy, scenario);
      const before = await course.run(0);
      const after = await course.run(Infinity);
      for (let lastStep = 1; lastStep <= after.steps; lastStep += 1) {
        const { isDone, end } = await course.run(lastStep);
        expect(end, `after step ${lastStep}`).to.be.oneOf(isDone ? [after.end] : [before.end, after.end]);
      }
    });
  }
});

/** A scenario with everything around it. */
class Course {
  readonly #workspace: Workspace;
  readonly #healthy: MortalProcess;
  readonly #scenario: Scenario;

  constructor(workspace: Workspace, healthy: MortalProcess, scenario: Scenario) {
    this.#workspace = workspace;
    this.#healthy = healthy;
    this.#scenario = scenario;
  }

  /** Acts up to a step, recovers, and answers how everything then is. */
  async run(lastStep: number): Promise<{ isDone: boolean; steps: number; end: string }> {
    const { change } = sceneIn(this.#healthy, "");
    const { application } = await change.createApplication("steps");
    const scene = sceneIn(this.#healthy, application.token);
    const finishOther = await this.#scenario.prepare(scene);
    const outcome = await this.#actUntil(lastStep, scene.token);
    await finishOther?.();
    await recover(this.#workspace);
    return { ...outcome, end: await describeEnd(this.#workspace, scene) };
  }

  async #actUntil(lastStep: number, token: string): Promise<{ isDone: boolean; steps: number }> {
    if (lastStep === 0) return { isDone: false, steps: 0 };
    const mortal = await MortalProcess.start(this.#workspace.config, lastStep);
    const isDone = await this.#scenario.act(sceneIn(mortal, token)).then(
      () => true,
      (error: unknown) => {
        if (!mortal.signal.aborted) throw error;
        return false;
      },
    );
    const { steps } = mortal;
    await mortal.end();
    return { isDone, steps };
  }
}
