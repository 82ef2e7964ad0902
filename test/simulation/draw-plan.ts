/** Draws a plan from a seed. */
import type { Random } from "../support/random.ts";
import { chanceOf } from "./chance.ts";
import {
  anyFaults,
  type DrawFaults,
  faultsOfIdle,
  faultsOfIndex,
  fewFaults,
  flushes,
  lateLoad,
  longLoad,
  longWrite,
  lostAcks,
  olderCopy,
} from "./draw-faults.ts";
import {
  flushedRound,
  guessedRound,
  olderChangeRound,
  olderCopyRound,
  weekRound,
} from "./draw-rare-rounds.ts";
import {
  anyRound,
  deletionRound,
  type DrawRound,
  hurriedRound,
  idleRound,
  longLoadRound,
  refusedRound,
  repeatedAckRound,
  takenOverRound,
} from "./draw-rounds.ts";
import { Draw } from "./draw.ts";
import { everyLoss, type Plan, type PlanOptions } from "./plan.ts";
import type { Settings } from "./product.ts";
import type { Pace } from "./steps.ts";

/** What a plan may be about. */
interface PlanKind {
  /** How often plans are of this kind, beside the others. */
  readonly weight: number;
  readonly round: DrawRound;
  readonly faults: DrawFaults;
  /** How many rounds, where not from one to four; the least and the most. */
  readonly rounds?: readonly [number, number];
  /** How many messages there are before, where it matters. */
  readonly messages?: readonly [number, number];
  readonly chats?: number;
  readonly flushers?: number;
  readonly settings?: Omit<Settings, "mostOwed">;
  /** Where MySQL's answers are long on their way, so that something happens between two of them. */
  readonly isMysqlSlow?: boolean;
  /** Where no call is held up but by its faults. */
  readonly isCalm?: boolean;
}

/** Nothing is flushed but by the minute, and what is flushed then goes together. */
const flushedByMinute = { thresholds: { chats: 50, messages: 50 }, maxRows: 6 };

/** A third of the plans may be about anything; what needs several things at once has a kind of its own. */
const kinds: readonly PlanKind[] = [
  { weight: 39, round: anyRound, faults: anyFaults },
  // Clients do little but change messages, one after the other, in round after round.
  { weight: 15, round: hurriedRound, faults: anyFaults, messages: [4, 5] },
  {
    weight: 6,
    round: repeatedAckRound,
    faults: lostAcks,
    messages: [4, 5],
    chats: 1,
    settings: { thresholds: { chats: 4, messages: 8 }, maxRows: 4 },
  },
  // Clients post to idle parents through both processes.
  { weight: 10, round: idleRound, faults: faultsOfIdle },
  {
    weight: 12,
    round: deletionRound,
    faults: fewFaults,
    rounds: [2, 4],
    messages: [1, 4],
    isMysqlSlow: true,
  },
  { weight: 6, round: refusedRound, faults: fewFaults, rounds: [2, 4] },
  { weight: 6, round: longLoadRound, faults: longLoad, rounds: [2, 3], messages: [1, 4] },
  {
    weight: 5,
    round: flushedRound,
    faults: flushes,
    rounds: [1, 2],
    settings: flushedByMinute,
    isCalm: true,
  },
  {
    weight: 8,
    round: olderCopyRound,
    faults: olderCopy,
    rounds: [3, 4],
    messages: [1, 3],
    settings: flushedByMinute,
  },
  {
    weight: 5,
    round: olderChangeRound,
    faults: olderCopy,
    rounds: [3, 3],
    messages: [1, 3],
    settings: flushedByMinute,
  },
  {
    weight: 5,
    round: guessedRound,
    faults: lateLoad,
    rounds: [1, 2],
    settings: flushedByMinute,
    isCalm: true,
  },
  { weight: 4, round: weekRound, faults: fewFaults, rounds: [3, 4], messages: [1, 2] },
  { weight: 6, round: takenOverRound, faults: longWrite, rounds: [2, 3], messages: [1, 4], flushers: 2 },
];

/** A plan drawn from a seed. */
export function drawPlan(seed: number, random: Random, options: PlanOptions = everyLoss): Plan {
  const draw = new Draw(random);
  const kind = drawKind(random);
  const count = random.integer(...(kind.rounds ?? [1, 4]));
  const mostOwed = drawMostOwed(seed);
  return {
    seed,
    settings: {
      ...(kind.settings ?? {
        thresholds: { chats: random.integer(1, 4), messages: random.integer(1, 6) },
        maxRows: random.integer(1, 6),
      }),
      mostOwed,
    },
    pace: drawPace(random, kind),
    flushers: kind.flushers ?? (random.integer(1, 4) === 1 ? 2 : 1),
    skewsMs: Array.from({ length: 4 }, () => (draw.happens(0.3) ? random.integer(-30_000, 30_000) : 0)),
    chats: kind.chats ?? random.integer(1, 2),
    messages: random.integer(...(kind.messages ?? [0, 4])),
    rounds: Array.from({ length: count }, (_, nth) => kind.round(draw, nth)),
    faults: [...kind.faults(draw, count, options), ...(mostOwed > 0 ? faultsOfIndex(seed, count) : [])],
  };
}

/** One plan in eight has a search index: whoever keeps it asks so often that such a run takes twice as long. */
function drawMostOwed(seed: number): number {
  if (chanceOf(seed, "index") >= 1 / 8) return 0;
  return chanceOf(seed, "most owed") < 0.3 ? 3 : 1000;
}

function drawKind(random: Random): PlanKind {
  let left = random.next() * kinds.reduce((sum, { weight }) => sum + weight, 0);
  for (const kind of kinds) {
    left -= kind.weight;
    if (left < 0) return kind;
  }
  throw new Error("there is no kind of plan");
}

function drawPace(random: Random, { isMysqlSlow = false, isCalm = false }: PlanKind): Pace {
  if (isCalm) return { stalls: 0, mostStallMs: 50 };
  if (isMysqlSlow)
    return { stalls: random.pick([5, 30]) ?? 5, mostStallMs: random.pick([50, 500]) ?? 50, slow: "mysql" };
  return {
    stalls: random.pick([0, 5, 15, 30]) ?? 0,
    mostStallMs: random.pick([50, 500, 2900]) ?? 50,
    slow: random.pick([undefined, undefined, "mysql", "redis"] as const),
  };
}
