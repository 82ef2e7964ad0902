/** Tries every schedule of a pair, without a fault and with one. */
import { type Bounds, Explorer } from "./explorer.ts";
import { type Pair, planOfPair } from "./pairs.ts";
import { runPlan } from "./run.ts";
import { worthReading } from "./seeds.ts";
import type { Stage } from "./stage.ts";

/**
 * With one lost reply those schedules in which nobody is interrupted; without a fault those in which an actor is so
 * often, which show most of what is wrong soon, and every schedule that differs; with any fault those with one
 * interruption.
 */
export const searches: Readonly<Record<"replies" | "switches" | "schedules" | "faults", Bounds>> = {
  replies: { interruptions: 0, faults: ["reply lost"] },
  switches: { interruptions: 2, faults: [] },
  schedules: { faults: [] },
  faults: { interruptions: 1, faults: ["never", "reply lost", "cut", "gone before", "gone after", "frozen"] },
};

export interface Searched {
  readonly schedules: number;
  /** Whether none is left. */
  readonly isWhole: boolean;
  /** By kind of problem: in how many schedules, and the first of them in full. */
  readonly problems: Readonly<Record<string, { schedules: number; readonly first: string }>>;
}

/** Searches until all is tried, or so many schedules were, or until `mayGoOn` says no. */
export async function search(
  stage: Stage,
  pair: Pair,
  bounds: Bounds,
  mayGoOn: (schedules: number) => boolean,
): Promise<Searched> {
  const plan = planOfPair(pair);
  const explorer = new Explorer(bounds);
  const problems: Record<string, { schedules: number; readonly first: string }> = {};
  while (!explorer.isOver && mayGoOn(explorer.schedules)) {
    explorer.begin();
    const report = await runPlan(stage, plan, { explorer });
    for (const kind of new Set(report.problems.map((problem) => problem.kind))) {
      const known = problems[kind];
      if (known) known.schedules += 1;
      else {
        const texts = report.problems.map((problem) => `problem: ${problem.kind}: ${problem.text}`);
        problems[kind] = { schedules: 1, first: [...worthReading(report.trace), ...texts].join("\n") };
      }
    }
    explorer.advance();
  }
  return { schedules: explorer.schedules, isWhole: explorer.isOver, problems };
}
