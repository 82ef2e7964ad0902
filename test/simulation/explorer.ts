/**
 * All schedules of a few actors: runs one after the other, each the first that was not tried yet. A schedule is the
 * choices made where more than one could move. Choices that only swap two steps which do not touch the same thing are
 * left out (sleep sets), so that what is left are schedules that differ in what they do.
 */
import { stepNature } from "./product-calls.ts";
import type { CallFault, Steps } from "./steps.ts";
import { dueFirst, type Policy, type SimEvent, type World } from "./world.ts";

/** What may be done at one point. */
interface Choice {
  readonly actor: string;
  readonly step: string;
  readonly fault: CallFault["what"] | undefined;
}

interface Point {
  readonly choices: readonly Choice[];
  /** Actors whose next step need not be tried here: it was, in another order that comes to the same. */
  readonly sleeping: ReadonlyMap<string, string>;
  at: number;
}

export interface Bounds {
  /** How often an actor may be interrupted that could go on; without bound, sleep sets are used. */
  readonly interruptions?: number;
  /** Faults that may strike, one in a run. */
  readonly faults: readonly CallFault["what"][];
}

export class Explorer {
  readonly #bounds: Bounds;
  readonly #points: Point[] = [];
  #depth = 0;
  #last: string | undefined;
  #interruptions = 0;
  #hasFault = false;
  #sleeping = new Map<string, string>();
  #isOver = false;
  /** While set, choices are made; otherwise what is due first comes first. */
  isOn = false;
  schedules = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** Whether all schedules have been tried. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Begins the next run. */
  begin(): void {
    this.schedules += 1;
    this.#depth = 0;
    this.#last = undefined;
    this.#interruptions = 0;
    this.#hasFault = false;
    this.#sleeping = new Map();
  }

  /** After a run: goes back to the last point at which something else could have been done. */
  advance(): void {
    for (let point = this.#points.at(-1); point; point = this.#points.at(-1)) {
      point.at += 1;
      if (point.at < point.choices.length) return;
      this.#points.pop();
    }
    this.#isOver = true;
  }

  /** The choices of the run, for people. */
  get course(): readonly string[] {
    return this.#points.map(({ choices, at }) => {
      const choice = choices[at];
      return choice ? `${choice.actor}: ${choice.step}${choice.fault ? ` !! ${choice.fault}` : ""}` : "?";
    });
  }

  policy(steps: Steps, world: World): Policy {
    return (events) => {
      if (!this.isOn) return dueFirst(events);
      const isFirst = ({ kind, label, at }: SimEvent) =>
        at <= world.nowMs && (kind === "client" || label === "copy");
      const begins = dueFirst(events.filter(isFirst));
      const ready = nextSteps(events, world.nowMs);
      if (begins || ready.size === 0) return begins ?? dueFirst(events);
      const choice = this.#choose(ready);
      steps.forced = choice.fault;
      return ready.get(choice.actor);
    };
  }

  #choose(ready: ReadonlyMap<string, SimEvent>): Choice {
    let point = this.#points[this.#depth];
    if (!point) {
      point = { choices: this.#choicesOf(ready), sleeping: new Map(this.#sleeping), at: 0 };
      this.#points.push(point);
    }
    this.#depth += 1;
    const choice = point.choices[point.at];
    if (!choice || !ready.has(choice.actor)) throw new Error("a run went another way than before");
    if (this.#last !== undefined && choice.actor !== this.#last && ready.has(this.#last))
      this.#interruptions += 1;
    if (choice.fault) this.#hasFault = true;
    this.#last = choice.actor;
    this.#fallAsleep(point, choice);
    return choice;
  }

  #choicesOf(ready: ReadonlyMap<string, SimEvent>): Choice[] {
    const steps = [...ready].map(([actor, { label = "" }]) => ({ actor, step: label }));
    // Whoever moved last goes on first.
    const actors = steps.sort((a, b) => Number(b.actor === this.#last) - Number(a.actor === this.#last));
    const tried = actors.filter(({ actor, step }) => !this.#isLeftOut(actor, step, ready));
    // Where everybody sleeps, what follows was seen; it is gone through once, to its end.
    const wanted = tried.length > 0 ? tried : actors.slice(0, 1);
    const faults = this.#hasFault ? [] : this.#bounds.faults;
    return wanted.flatMap((one) => [undefined, ...faults].map((fault) => ({ ...one, fault })));
  }

  #isLeftOut(actor: string, step: string, ready: ReadonlyMap<string, SimEvent>): boolean {
    const { interruptions } = this.#bounds;
    if (interruptions === undefined) return this.#sleeping.get(actor) === step;
    const last = this.#last;
    if (last === undefined || actor === last || !ready.has(last)) return false;
    return this.#interruptions >= interruptions;
  }

  /** Those that were tried before at a point, or slept there, sleep on as long as nobody touches what they touch. */
  #fallAsleep(point: Point, choice: Choice): void {
    const asleep = new Map(point.sleeping);
    for (const earlier of point.choices.slice(0, point.at)) asleep.set(earlier.actor, earlier.step);
    asleep.delete(choice.actor);
    for (const [actor, step] of asleep) if (areDependent(step, choice.step)) asleep.delete(actor);
    this.#sleeping = asleep;
  }
}

/** Of each process the step that it makes next, unless it stands still for long. */
function nextSteps(events: readonly SimEvent[], nowMs: number): Map<string, SimEvent> {
  const next = new Map<string, SimEvent>();
  for (const event of events) {
    const actor = event.process?.name ?? (event.kind === "fault" ? event.label : undefined);
    const isStep = event.kind === "step" || event.label === "loss";
    if (!isStep || actor === undefined || event.at > nowMs + 5000) continue;
    const known = next.get(actor);
    if (!known || event.at < known.at) next.set(actor, event);
  }
  return next;
}

function areDependent(one: string, other: string): boolean {
  const [a, b] = [stepNature(one), stepNature(other)];
  // With a loss go the calls that are on their way, so it counts who waits for what.
  if (a.engine === "all" || b.engine === "all") return true;
  if (a.engine !== b.engine) return false;
  if (a.kind === "private" || b.kind === "private") return false;
  if (a.kind === "read") return b.kind === "commit";
  if (b.kind === "read") return a.kind === "commit";
  return true;
}
