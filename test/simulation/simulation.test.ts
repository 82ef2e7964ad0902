import { expect } from "chai";

import { search, searches } from "./exhaustive.ts";
import { pairs } from "./pairs.ts";
import { runPlan } from "./run.ts";
import { explainSeed, planOf, runSeed } from "./seeds.ts";
import { openStage, type OpenStage } from "./stage.ts";
import { installVirtualTime } from "./virtual-time.ts";

/** How much of a minute each part may take, whatever the machine; what is left is for `npm run test:simulation`. */
const randomMs = 22_000;
const exhaustiveMs = 15_000;
/** Schedules that are tried in any case. */
const fewest = 10;
const mostSeeds = Number(process.env["SLUICE_TEST_SIMULATIONS"] ?? 300);

describe("simulated processes on real engines", () => {
  let stage: OpenStage;
  let removeVirtualTime: () => void;

  before(async () => {
    removeVirtualTime = installVirtualTime();
    stage = await openStage();
  });

  after(async () => {
    await stage.close();
    removeVirtualTime();
  });

  it("go the same way with the same seed, whoever went before", async () => {
    const first = await runPlan(stage, planOf(7));
    await runPlan(stage, planOf(8));
    const second = await runPlan(stage, planOf(7));
    expect(first.trace.length).to.be.greaterThan(50);
    expect(second.trace).to.deep.equal(first.trace);
  });

  it("keep the API's word in each of some hundred courses", async () => {
    const endMs = Date.now() + randomMs;
    for (let seed = 1; seed <= mostSeeds && Date.now() < endMs; seed += 1) {
      const { problems } = await runSeed(stage, seed, { isWatched: true });
      const [kind] = Object.keys(problems);
      if (kind !== undefined) expect.fail(await explainSeed(stage, seed, kind));
    }
  });

  it("keep it in every order of the steps of two DELETEs of an application", async () => {
    const pair = pairs.find(({ name }) => name === "an application is deleted twice");
    if (!pair) throw new Error("there is no such pair");
    const endMs = Date.now() + exhaustiveMs;
    const { problems, schedules } = await search(
      stage,
      pair,
      searches.schedules,
      (tried) => tried <= fewest || Date.now() < endMs,
    );
    expect(schedules).to.be.greaterThan(fewest);
    expect(problems).to.deep.equal({});
  });
});
