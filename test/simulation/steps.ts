/**
 * Each call of an engine is one step: it waits its time in the queue, then happens whole, and its caller goes on. Here
 * faults strike: a call that never happens, one whose reply is lost, one that happens after its caller gave up, a
 * process that is gone or stands still just then.
 */
import { chanceOf, spread } from "./chance.ts";
import { currentHost, runOutside } from "./virtual-time.ts";
import { type SimEvent, type SimProcess, Task, type World } from "./world.ts";

export type EngineName = "redis" | "mysql" | "elasticsearch";

export interface EngineCall {
  readonly engine: EngineName;
  /** What is called: the name of a script, of a command, the kind of a statement. */
  readonly name: string;
  /** For the trace. */
  readonly detail: () => string;
  run(): Promise<unknown>;
  /** The part of its answer that is shown in the trace, where that is not all. */
  readonly shown?: (answer: unknown) => unknown;
  /** What its caller is told where no answer comes. */
  readonly failure: () => Error;
  /** Called where the caller's connection is lost with the call. */
  readonly onLost?: () => Promise<void>;
}

/** What befalls the nth call of a name. */
export interface CallFault {
  readonly kind: "call";
  readonly call: string;
  readonly nth: number;
  readonly what:
    | "never"
    | "reply lost"
    | "reply late"
    | "cut"
    | "late"
    | "gone before"
    | "gone after"
    | "frozen"
    | "frozen after";
  /** For how long a process is frozen, or a reply is on its way, or after how long a late call happens. */
  readonly ms: number;
}

/** Of the calls of a name so many of a hundred happen, and their callers are not told. */
export interface LinkFault {
  readonly kind: "link";
  readonly call: string;
  readonly percent: number;
}

/** How long calls take. */
export interface Pace {
  /** How many calls of a hundred are held up. */
  readonly stalls: number;
  readonly mostStallMs: number;
  /** An engine of which most calls are held up. */
  readonly slow?: "redis" | "mysql" | undefined;
  /** Whether what MySQL answers is on its way for as long as somebody decides: another may move meanwhile. */
  readonly hasReplySteps?: boolean;
  /** Calls that are not held up though the seed says so: what a plan was made smaller by. */
  readonly calm?: ReadonlySet<string>;
}

/** Longer than this no caller waits; the processes' own limits are 600 ms and 3 s, and seconds more for a flusher. */
const mostLatencyMs = { redis: 550, mysql: 2900, elasticsearch: 2900 };

/** Makes calls of engines into steps of a world. */
export class Steps {
  readonly #world: World;
  readonly #faults: readonly (CallFault | LinkFault)[];
  readonly #pace: Pace;
  readonly #counts = new Map<string, number>();
  /** Calls that were held up, by name. */
  readonly stalled = new Set<string>();
  /** While set, no fault strikes. */
  isHealed = true;
  /** What befalls the next call that is made, where somebody else than the plan says so. */
  forced: CallFault["what"] | undefined;
  /** While set, every call to it fails. */
  readonly away = new Set<EngineName>();
  /** Told of each call that was made. */
  onMade: (name: string) => void = () => undefined;
  /** Called after each call that was made, before anybody moves. */
  afterEach: (engine: EngineCall["engine"], name: string) => Promise<void> = () => Promise.resolve();
  onGone: (process: SimProcess) => Promise<void> = () => Promise.resolve();
  onFrozen: (process: SimProcess, ms: number) => void = () => undefined;

  constructor(world: World, faults: readonly (CallFault | LinkFault)[], pace: Pace) {
    this.#world = world;
    this.#faults = faults;
    this.#pace = pace;
  }

  /** Makes a call when its turn comes; of the simulator itself, at once. */
  call(one: EngineCall): Promise<unknown> {
    const task = currentHost();
    if (!(task instanceof Task)) return one.run();
    const { process } = task;
    if (!process.isAlive) return new Promise(() => undefined);
    task.steps += 1;
    const name = `${task.name}#${task.steps}`;
    const { callMs, replyMs } = this.#latency(one.engine, name);
    const at = this.#world.nowMs + callMs;
    return new Promise((resolve, reject) => {
      const fail = () => {
        reject(one.failure());
      };
      const run = () => this.#take(task, one, { resolve, reject, fail, replyMs });
      runOutside(() =>
        this.#world.add({
          at,
          process,
          kind: "step",
          engine: one.engine,
          get label() {
            return `${one.name} ${one.detail()}`;
          },
          fail,
          onLost: one.onLost,
          run,
        }),
      );
    });
  }

  /** Where a call is held up, it is on the way there, or, of MySQL's, on the way back: then what it says grows old. */
  #latency(engine: EngineName, name: string): { callMs: number; replyMs?: number } {
    const { seed } = this.#world;
    const usual = 0.2 + chanceOf(seed, name, "usual") * 1.5;
    if (this.#pace.hasReplySteps && engine === "mysql" && !this.isHealed)
      return { callMs: usual, replyMs: 0 };
    const stalls = this.#pace.slow === engine ? Math.max(50, this.#pace.stalls) : this.#pace.stalls;
    if (this.isHealed || this.#pace.stalls === 0) return { callMs: usual };
    if (chanceOf(seed, name, "stalls") * 100 >= stalls) return { callMs: usual };
    if (this.#pace.calm?.has(name)) return { callMs: usual };
    this.stalled.add(name);
    const drawnMs = spread(chanceOf(seed, name, "stall"), 2, this.#pace.mostStallMs);
    const stallMs = Math.min(mostLatencyMs[engine], drawnMs);
    const isOnTheWayBack = engine === "mysql" && chanceOf(seed, name, "way back") < 0.5;
    return isOnTheWayBack ? { callMs: usual, replyMs: stallMs } : { callMs: stallMs };
  }

  async #take(task: Task, one: EngineCall, caller: Caller): Promise<void> {
    const fault = this.#faultOf(one);
    const isNever = fault?.what === "never" || this.away.has(one.engine);
    if (fault) this.#world.note(task.name, `!! ${fault.what}: ${one.name}`);
    if (fault?.what === "gone before") {
      await this.onGone(task.process);
    } else if (fault?.what === "frozen") {
      this.onFrozen(task.process, fault.ms);
      this.#world.add(this.#again(task, one, caller, 0));
      this.#world.freeze(task.process, fault.ms);
    } else if (fault?.what === "late") {
      // Its caller has given up; it happens all the same.
      this.#world.add(this.#again(task, one, undefined, fault.ms));
      caller.fail();
    } else if (isNever) {
      await one.onLost?.();
      caller.fail();
    } else {
      await this.#make(task, one, caller, fault);
    }
  }

  async #make(task: Task, one: EngineCall, caller: Caller | undefined, fault?: CallFault): Promise<void> {
    const answer = await one.run().then(
      (value): Answer => ({ value }),
      (error: unknown): Answer => ({ error }),
    );
    this.#world.note(
      task.name,
      () => `${one.engine} ${one.name} ${one.detail()} = ${described(one, answer)}`,
    );
    await this.afterEach(one.engine, one.name);
    if (!this.isHealed) this.onMade(one.name);
    const replyMs = fault ? replyMsOf(fault, one.engine) : caller?.replyMs;
    if (fault?.what === "gone after") await this.onGone(task.process);
    else if (replyMs !== undefined) this.#replyLater(task, one, caller, answer, replyMs);
    else if (fault) await this.#loseReply(task, one, caller, fault);
    else tell(caller, answer);
    if (fault?.what === "frozen after") {
      this.onFrozen(task.process, fault.ms);
      this.#world.freeze(task.process, fault.ms);
    }
  }

  /** What was answered comes later; it is lost with its connection. */
  #replyLater(
    { process }: Task,
    one: EngineCall,
    caller: Caller | undefined,
    answer: Answer,
    inMs: number,
  ): void {
    const { engine, name, onLost } = one;
    const fail = caller?.fail ?? (() => undefined);
    const run = () => {
      tell(caller, answer);
    };
    const at = this.#world.nowMs + inMs;
    this.#world.add({ at, process, kind: "step", engine, label: `reply ${name}`, fail, onLost, run });
  }

  async #loseReply(
    task: Task,
    one: EngineCall,
    caller: Caller | undefined,
    { what }: CallFault,
  ): Promise<void> {
    await one.onLost?.();
    if (what === "cut") await this.cut(task.process, one.engine);
    caller?.fail();
  }

  /** Loses a process' connection to an engine, and with it what was on its way; one that stands still hears later. */
  async cut(process: SimProcess, engine: EngineName): Promise<void> {
    const isLost = (event: SimEvent) => event.process === process && event.engine === engine;
    const lost = this.#world.events.filter(isLost);
    for (const event of lost) await event.onLost?.();
    const at = process.frozenUntilMs - 0.01;
    if (at > this.#world.nowMs) {
      this.#world.add({ at, process, kind: "timer", run: () => this.cut(process, engine) });
      return;
    }
    this.#world.forget(isLost);
    for (const event of lost) event.fail?.();
    if (engine === "redis") process.tellReconnect();
  }

  #again(task: Task, one: EngineCall, caller: Caller | undefined, inMs: number): SimEvent {
    const run = () => this.#make(task, one, caller);
    const { process } = task;
    const fail = caller?.fail ?? (() => undefined);
    const at = this.#world.nowMs + inMs;
    return { at, process, kind: "step", engine: one.engine, label: one.name, fail, onLost: one.onLost, run };
  }

  #faultOf({ name, engine }: EngineCall): CallFault | undefined {
    const { forced } = this;
    this.forced = undefined;
    if (forced) return { kind: "call", call: name, nth: 0, what: forced, ms: 12_000 };
    if (this.isHealed) return undefined;
    const nth = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, nth);
    const mine = this.#faults.filter(({ call }) => call === name);
    const fault = mine.find((one): one is CallFault => one.kind === "call" && one.nth === nth);
    const isLost = ({ percent }: LinkFault) => chanceOf(this.#world.seed, name, "link", nth) * 100 < percent;
    if (!fault && mine.some((one) => one.kind === "link" && isLost(one)))
      return { kind: "call", call: name, nth, what: "reply lost", ms: 0 };
    // A connection to MySQL answers one call after the other: none comes late.
    return engine === "mysql" && fault?.what === "late" ? { ...fault, what: "never" } : fault;
  }
}

/** How long a reply is on its way, where that is what a fault is about. */
function replyMsOf({ what, ms }: CallFault, engine: EngineName): number | undefined {
  if (what === "frozen after") return ms;
  return what === "reply late" ? Math.min(ms, mostLatencyMs[engine]) : undefined;
}

interface Caller {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly fail: () => void;
  /** How long it takes until the answer is there, where that is not at once. */
  readonly replyMs?: number | undefined;
}

function tell(caller: Caller | undefined, answer: Answer): void {
  if ("error" in answer) caller?.reject(answer.error);
  else caller?.resolve(answer.value);
}

type Answer = { readonly value: unknown } | { readonly error: unknown };

const mostDescribed = 110;

function described({ shown = (value) => value }: EngineCall, answer: Answer): string {
  if ("error" in answer) return `failed: ${answer.error instanceof Error ? answer.error.message : "?"}`;
  const text = JSON.stringify(shown(answer.value) ?? null);
  return text.length > mostDescribed ? `${text.slice(0, mostDescribed)}…` : text;
}
