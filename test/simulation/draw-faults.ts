/** Draws what goes wrong in a plan. */
import { chanceOf, spread } from "./chance.ts";
import type { Draw } from "./draw.ts";
import type { EngineFault, Fault, PlanOptions } from "./plan.ts";
import { callsOfIndexing, callsOfLoad, callsOfWrite, namedCalls } from "./product-calls.ts";
import type { CallFault, LinkFault } from "./steps.ts";

/** Draws the faults of a plan of so many rounds. */
export type DrawFaults = (draw: Draw, rounds: number, options: PlanOptions) => Fault[];

const hourMs = 3_600_000;

/** Any faults, or none; some plans have mostly losses, of one kind. */
export function anyFaults(draw: Draw, rounds: number, { losses }: PlanOptions): Fault[] {
  const all = [...losses];
  const liked = draw.happens(0.3) ? draw.random.pick(all) : undefined;
  const count = draw.random.pick([0, 0, 1, 1, 2, 3]) ?? 0;
  return Array.from({ length: count }, () => {
    const isLoss = draw.happens(liked ? 0.8 : 0.3);
    const loss = liked ?? draw.random.pick(all);
    if (isLoss && loss) return engineFault(draw, rounds, loss);
    return draw.happens(0.3) ? linkFault(draw) : callFault(draw);
  });
}

/** As any, or a Redis that is put back to what it was before a round, when something of the round was flushed. */
export function faultsOfIdle(draw: Draw, rounds: number, options: PlanOptions): Fault[] {
  if (!options.losses.has("redis put back") || !draw.happens(0.4)) return anyFaults(draw, rounds, options);
  const round = draw.random.integer(0, rounds - 1);
  const atMs = draw.random.integer(0, 20);
  return [{ kind: "engine", what: "redis put back", round, atMs, after: "acknowledge", takenAtMs: 0, ms: 0 }];
}

/** Acks happen and are made again, as their replies are lost. */
export function lostAcks({ random }: Draw): Fault[] {
  const percent = random.pick([30, 60, 80]) ?? 60;
  return [{ kind: "link", call: "acknowledge", percent }];
}

/** Seldom any. */
export function fewFaults(draw: Draw, rounds: number, options: PlanOptions): Fault[] {
  return draw.happens(0.2) ? anyFaults(draw, rounds, options) : [];
}

/** Somebody who loads a parent stands still for longer than a counter stays in Redis. */
export function longLoad(draw: Draw): Fault[] {
  const [call, nth] = [draw.random.pick(callsOfLoad) ?? "seed", draw.random.integer(1, 2)];
  const ms = Math.round(spread(draw.random.next(), hourMs, 4 * hourMs));
  return [{ kind: "call", call, nth, what: draw.happens(0.7) ? "frozen" : "frozen after", ms }];
}

/** A flusher stands still within a write, for longer than its lease lasts. */
export function longWrite(draw: Draw): Fault[] {
  const [call, nth] = [draw.random.pick(callsOfWrite) ?? "begin", draw.random.integer(1, 3)];
  const ms = Math.round(spread(draw.random.next(), 15_000, 200_000));
  return [{ kind: "call", call, nth, what: draw.happens(0.7) ? "frozen" : "frozen after", ms }];
}

/** Elasticsearch is away, or something befalls whoever keeps the index. */
export function faultsOfIndex(seed: number, rounds: number): Fault[] {
  const chance = (of: string) => chanceOf(seed, "fault of the index", of);
  const faults: Fault[] = [];
  const ms = Math.round(spread(chance("for"), 5, 5000));
  if (chance("away") < 0.3) {
    const round = Math.floor(chance("round") * rounds);
    const atMs = Math.round(spread(chance("at"), 1, 1500));
    faults.push({ kind: "engine", what: "elasticsearch away", round, atMs, takenAtMs: 0, ms });
  }
  if (chance("call") < 0.6) {
    const call = callsOfIndexing[Math.floor(chance("which") * callsOfIndexing.length)] ?? "bulk";
    const whats = ["never", "reply lost", "late", "gone after", "frozen", "frozen after"] as const;
    const what = whats[Math.floor(chance("what") * whats.length)] ?? "never";
    const nth = Math.ceil(spread(chance("nth"), 0.5, 6));
    faults.push({ kind: "call", call, nth, what, ms: what.startsWith("frozen") ? ms * 1000 : ms });
  }
  return faults;
}

/** Redis is emptied by hand, and once more when numbers were given under an epoch that another process begins late. */
export function flushes({ random }: Draw, rounds: number, { losses }: PlanOptions): Fault[] {
  if (!losses.has("redis flushed")) return [];
  const round = random.integer(0, rounds - 1);
  const flushed = { kind: "engine", what: "redis flushed", round, takenAtMs: 0, ms: 0 } as const;
  const late: CallFault = {
    kind: "call",
    call: "begin-epoch",
    nth: random.pick([1, 1, 2]) ?? 1,
    what: random.pick(["late", "frozen"] as const) ?? "late",
    ms: Math.round(spread(random.next(), 60, 200)),
  };
  return [
    { ...flushed, atMs: random.integer(0, 2) },
    { ...flushed, atMs: Math.round(spread(random.next(), 2, 30)), after: "seed" },
    late,
  ];
}

/** An answer of MySQL is long on its way to whoever looks for a parent. */
export function lateLoad({ random }: Draw): Fault[] {
  const call = random.pick(["select chats", "select chats", "select applications"]) ?? "select chats";
  const ms = Math.round(spread(random.next(), 150, 2500));
  return [{ kind: "call", call, nth: random.integer(1, 2), what: "reply late", ms }];
}

/** Redis is put back to what it was before the second round, when something of that was flushed. */
export function olderCopy(draw: Draw, _rounds: number, { losses }: PlanOptions): Fault[] {
  if (!losses.has("redis put back")) return [];
  const what = "redis put back";
  if (draw.happens(0.7)) {
    const atMs = draw.random.integer(0, 3);
    return [{ kind: "engine", what, round: 2, atMs, takenInRound: 1, takenAtMs: 0, ms: 0 }];
  }
  const atMs = Math.round(spread(draw.random.next(), 1, 400));
  return [{ kind: "engine", what, round: 1, atMs, after: "acknowledge", takenAtMs: 0, ms: 0 }];
}

function linkFault({ random }: Draw): LinkFault {
  const call = random.pick(["acknowledge", "acknowledge", "commit", "accept", "revise"]) ?? "commit";
  return { kind: "link", call, percent: random.pick([20, 50]) ?? 20 };
}

function engineFault(draw: Draw, rounds: number, what: EngineFault["what"]): EngineFault {
  const { random } = draw;
  const isAfterCall = draw.happens(0.5);
  return {
    kind: "engine",
    what,
    round: random.integer(0, rounds - 1),
    atMs: Math.round(spread(random.next(), 1, isAfterCall ? 100 : 1500)),
    ...(isAfterCall && {
      after: random.pick(["acknowledge", "acknowledge", "accept", "commit"]) ?? "accept",
    }),
    takenAtMs: draw.happens(0.5) ? 0 : Math.round(spread(random.next(), 1, 500)),
    ms: Math.round(spread(random.next(), 5, 5000)),
  };
}

function callFault({ random }: Draw): CallFault {
  const what =
    random.pick([
      "never",
      "reply lost",
      "reply lost",
      "reply late",
      "cut",
      "late",
      "gone before",
      "gone after",
      "frozen",
      "frozen after",
    ] as const) ?? "never";
  const ms = what.startsWith("frozen")
    ? spread(random.next(), 500, 2 * hourMs)
    : spread(random.next(), 1, 3000);
  const nth = Math.ceil(spread(random.next(), 0.5, 8));
  return { kind: "call", call: random.pick(namedCalls) ?? "accept", nth, what, ms: Math.round(ms) };
}
