/** Runs seeds one after the other, and gathers what they show. */
import { Random } from "../support/random.ts";
import { drawPlan } from "./draw-plan.ts";
import { everyLoss, type Plan, type PlanOptions } from "./plan.ts";
import { type Report, runPlan } from "./run.ts";
import { shrink } from "./shrink.ts";
import type { Stage } from "./stage.ts";

/** What one seed showed. */
export interface SeedResult {
  readonly seed: number;
  readonly events: number;
  /** Kinds of its problems, with the first of each. */
  readonly problems: Readonly<Record<string, string>>;
}

export function planOf(seed: number, options: PlanOptions = everyLoss): Plan {
  return drawPlan(seed, new Random(seed), options);
}

/** Of so many seeds one is watched at every step, which is one more call of Redis for each that wrote. */
const watchedOf = 10;

/** `isWatched`: whether the buffer is looked at after every step, as it is with some seeds in any case. */
export async function runSeed(
  stage: Stage,
  seed: number,
  { options, isWatched = seed % watchedOf === 0 }: { options?: PlanOptions; isWatched?: boolean } = {},
): Promise<SeedResult> {
  const { problems, events } = await runPlan(stage, planOf(seed, options), { isWatched });
  return { seed, events, problems: firstOfEach(problems) };
}

function firstOfEach(problems: Report["problems"]): Record<string, string> {
  return Object.fromEntries([...problems].reverse().map(({ kind, text }) => [kind, text]));
}

/** A seed in full: what happens, what is wrong, and the smallest plan that still shows it. */
export async function explainSeed(
  stage: Stage,
  seed: number,
  kind?: string,
  options?: PlanOptions,
): Promise<string> {
  const plan = planOf(seed, options);
  const report = await runPlan(stage, plan, { isWatched: true });
  const wanted = kind ?? report.problems[0]?.kind;
  if (wanted === undefined) return [...report.trace, `seed ${seed}: nothing is wrong`].join("\n");
  const { plan: small, report: found, runs } = await shrink(stage, plan, wanted, report);
  return [
    ...worthReading(found.trace),
    `seed ${seed}, made smaller in ${runs} runs: ${JSON.stringify(small, setsAsLists)}`,
    ...found.problems.map((problem) => `problem: ${problem.kind}: ${problem.text}`),
  ].join("\n");
}

/** What says nothing of interest in nearly every trace. */
const dull =
  /(renew-lease|llen|exists paused|lpush\+ltrim|select settings|get partitions|select removals where .*= \[\]|= null$)/;
const mostColumns = 200;

export function worthReading(trace: readonly string[]): string[] {
  const begin = trace.findIndex((line) => / round +0/.test(line));
  return trace
    .slice(begin)
    .filter((line) => !dull.test(line) || /!!|failed/.test(line))
    .filter((line) => !/^ *[\d.]+ {2}last /.test(line))
    .map((line) => line.slice(0, mostColumns));
}

function setsAsLists(_name: string, value: unknown): unknown {
  return value instanceof Set ? `${value.size} calls` : value;
}
