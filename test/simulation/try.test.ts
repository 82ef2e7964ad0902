import { Random } from "../crash/random.ts";
import { drawPlan } from "./plan.ts";
import { runPlan } from "./run.ts";
import { openStage } from "./stage.ts";
import { installVirtualTime } from "./virtual-time.ts";

describe("simulation", () => {
  it("tries", async () => {
    const restore = installVirtualTime();
    const stage = await openStage();
    const from = Number(process.env["SIM_FROM"] ?? 1), n = Number(process.env["SIM_N"] ?? 50);
    const start = process.hrtime.bigint();
    let events = 0;
    const kinds = new Map<string, number[]>();
    for (let seed = from; seed < from + n; seed += 1) {
      const report = await runPlan(stage, drawPlan(seed, new Random(seed)));
      events += report.events;
      for (const kind of new Set(report.problems.map((p) => p.kind))) kinds.set(kind, [...(kinds.get(kind) ?? []), seed]);
      if (process.env["SIM_TRACE"]) console.log(report.trace.join("\n"));
      for (const p of report.problems) console.log(seed, p);
    }
    const s = Number(process.hrtime.bigint() - start) / 1e9;
    console.log(`${n} seeds, ${events} events, ${s.toFixed(1)} s, ${(n / s).toFixed(1)}/s`);
    for (const [kind, seeds] of kinds) console.log(seeds.length, kind, seeds.slice(0, 8).join(" "));
    await stage.close();
    restore();
  });
});
