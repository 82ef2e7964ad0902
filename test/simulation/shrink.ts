/** Makes a plan that shows a problem smaller, part by part, as long as the problem is still there. */
import type { Plan, Round } from "./plan.ts";
import { type Report, runPlan } from "./run.ts";
import type { Stage } from "./stage.ts";

/** Runs that a plan is worth. */
const mostRuns = 400;

export interface Shrunk {
  readonly plan: Plan;
  readonly report: Report;
  /** How often it was run. */
  readonly runs: number;
}

/** The smallest plan found that still shows a problem of a kind. */
export async function shrink(stage: Stage, plan: Plan, kind: string, report: Report): Promise<Shrunk> {
  let smallest: Shrunk = { plan, report, runs: 0 };
  const tryOne = async (candidate: Plan): Promise<boolean> => {
    if (smallest.runs >= mostRuns) return false;
    const found = await runPlan(stage, candidate, { isWatched: true });
    const shows = found.problems.some((problem) => problem.kind === kind);
    const runs = smallest.runs + 1;
    smallest = shows ? { plan: candidate, report: found, runs } : { ...smallest, runs };
    return shows;
  };
  for (let hasChanged = true; hasChanged && smallest.runs < mostRuns;) {
    hasChanged = false;
    for (const smaller of [...simplifications(smallest)]) {
      const candidate = smaller(smallest.plan);
      if (candidate && (await tryOne(candidate))) hasChanged = true;
    }
  }
  return smallest;
}

/** Answers a smaller plan, or nothing where there is nothing to be taken away. */
type Smaller = (plan: Plan) => Plan | undefined;

function* simplifications({ plan, report }: Shrunk): Generator<Smaller> {
  for (let nth = plan.faults.length - 1; nth >= 0; nth -= 1)
    yield (now) =>
      now.faults[nth] ? { ...now, faults: now.faults.filter((_, at) => at !== nth) } : undefined;
  for (const at of plan.rounds.keys()) {
    yield (now) =>
      withRound(now, at, (round) => (round.operations.length > 0 ? { ...round, operations: [] } : undefined));
  }
  yield (now) =>
    now.rounds.at(-1)?.operations.length === 0 ? { ...now, rounds: now.rounds.slice(0, -1) } : undefined;
  for (const { operations } of plan.rounds) {
    for (const { id } of operations) yield (now) => withoutOperation(now, id);
  }
  yield* simplerRounds(plan);
  const stalled = [...report.stalled].filter((name) => !plan.pace.calm?.has(name));
  yield (now) => (now.pace.stalls > 0 ? { ...now, pace: { ...now.pace, stalls: 0 } } : undefined);
  for (let size = stalled.length; size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < stalled.length; from += size)
      yield (now) => calmed(now, stalled.slice(from, from + size));
  }
  yield (now) => (now.skewsMs.some((ms) => ms !== 0) ? { ...now, skewsMs: [0, 0, 0, 0] } : undefined);
  yield (now) => (now.flushers > 1 ? { ...now, flushers: 1 } : undefined);
  yield (now) => (now.messages > 0 ? { ...now, messages: now.messages - 1 } : undefined);
  yield (now) => (now.chats > 1 ? { ...now, chats: now.chats - 1 } : undefined);
}

function* simplerRounds(plan: Plan): Generator<Smaller> {
  for (const at of plan.rounds.keys()) {
    yield (now) =>
      withRound(now, at, (round) =>
        round.before === "nothing" ? undefined : { ...round, before: "nothing" },
      );
    yield (now) =>
      withRound(now, at, ({ minuteAtMs, ...round }) => (minuteAtMs === undefined ? undefined : round));
  }
}

function withRound(plan: Plan, nth: number, change: (round: Round) => Round | undefined): Plan | undefined {
  const round = plan.rounds[nth];
  const changed = round && change(round);
  return changed && { ...plan, rounds: plan.rounds.map((one, at) => (at === nth ? changed : one)) };
}

function withoutOperation(plan: Plan, id: string): Plan | undefined {
  const rounds = plan.rounds.map((round) => ({
    ...round,
    operations: round.operations.filter((operation) => operation.id !== id),
  }));
  const count = ({ rounds: all }: Pick<Plan, "rounds">) =>
    all.reduce((sum, { operations }) => sum + operations.length, 0);
  return count({ rounds }) < count(plan) ? { ...plan, rounds } : undefined;
}

function calmed(plan: Plan, names: readonly string[]): Plan | undefined {
  const calm = new Set([...(plan.pace.calm ?? []), ...names]);
  if (plan.pace.stalls === 0 || calm.size === (plan.pace.calm?.size ?? 0)) return undefined;
  return { ...plan, pace: { ...plan.pace, calm } };
}
