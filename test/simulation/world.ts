/**
 * The scheduler: one queue of all that may happen next (a call that waits for its engine, a timer, a fault, the start of
 * a client's operation), each with the virtual moment at which it is due. One is taken at a time; then everybody runs
 * until all wait again. Who waits how long is drawn from the seed, so the seed decides who moves when.
 */
import { chanceOf } from "./chance.ts";
import { type Host, quiet, runAs, type VirtualTimer } from "./virtual-time.ts";

/** Virtual time begins here, Unix milliseconds. */
export const beginningMs = 1_760_000_000_000;

/** A process of the simulated system. It loses everything when it is gone; a frozen one only stands still. */
export class SimProcess {
  readonly name: string;
  readonly world: World;
  /** How far its clock is ahead. */
  skewMs = 0;
  isAlive = true;
  /** Until when it stands still. */
  frozenUntilMs = 0;
  readonly #onEnd: (() => void)[] = [];
  readonly #reconnectListeners: (() => void)[] = [];

  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
  }

  onEnd(listener: () => void): void {
    this.#onEnd.push(listener);
  }

  onReconnect(listener: () => void): void {
    this.#reconnectListeners.push(listener);
  }

  /** As the client of Redis tells when its connection is lost. */
  tellReconnect(): void {
    for (const listener of this.#reconnectListeners) listener();
  }

  /** It never goes on; all that it waited for is forgotten. */
  end(): void {
    this.isAlive = false;
    this.world.forget((event) => event.process === this);
    for (const listener of this.#onEnd) listener();
  }
}

/** A thread of work within a process: its steps are counted, so that each has a name of its own. */
export class Task implements Host {
  readonly process: SimProcess;
  readonly name: string;
  steps = 0;
  #randoms = 0;

  constructor(process: SimProcess, name: string) {
    this.process = process;
    this.name = name;
  }

  wallMs(): number {
    return Math.floor(this.process.world.wallMs + this.process.skewMs);
  }

  monotonicMs(): number {
    return this.process.world.nowMs;
  }

  random(): number {
    this.#randoms += 1;
    return chanceOf(this.process.world.seed, this.name, "random", this.#randoms);
  }

  setTimer(delayMs: number, ring: () => void): VirtualTimer {
    const { process } = this;
    const { world } = process;
    if (!process.isAlive) return { cancel: () => undefined };
    const event = world.add({ at: world.nowMs + Math.max(0, delayMs), process, kind: "timer", run: ring });
    return {
      cancel: () => {
        world.forget((one) => one === event);
      },
    };
  }

  /** Runs something as this task. */
  run<T>(work: () => T): T {
    return runAs(this, work);
  }
}

/** What may happen next. */
export interface SimEvent {
  at: number;
  readonly process?: SimProcess;
  readonly kind: "step" | "timer" | "client" | "fault";
  readonly label?: string;
  readonly engine?: "redis" | "mysql" | "elasticsearch";
  /** Fails a call that was never made. */
  readonly fail?: () => void;
  /** What its engine does when the call's connection is lost. */
  readonly onLost?: (() => Promise<void>) | undefined;
  run(): void | Promise<void>;
}

/** Which of the events that may happen is next. */
export type Policy = (events: readonly SimEvent[]) => SimEvent | undefined;

/** The one that is due first; of several the one that came first. */
export const dueFirst: Policy = (events) => {
  let first: SimEvent | undefined;
  for (const event of events) if (!first || event.at < first.at) first = event;
  return first;
};

/** Ends a run that would have no end. */
const mostEvents = 20_000;

export class World {
  readonly seed: number;
  /** Who decides what is next. */
  policy: Policy = dueFirst;
  /** Milliseconds since the beginning, by nobody's clock. */
  nowMs = 0;
  /** Called before each event, for what is due by the clock of an engine. */
  beforeEvent: () => Promise<void> = () => Promise.resolve();
  /** What happened, written out when somebody reads it. */
  readonly #notes: { readonly atMs: number; readonly who: string; readonly what: () => string }[] = [];
  /** Shorter names for long ids in the trace. */
  readonly names = new Map<string, string>();
  #events: SimEvent[] = [];
  #taken = 0;

  constructor(seed: number) {
    this.seed = seed;
  }

  get wallMs(): number {
    return beginningMs + this.nowMs;
  }

  /** Events that have happened. */
  get taken(): number {
    return this.#taken;
  }

  get events(): readonly SimEvent[] {
    return this.#events;
  }

  add(event: SimEvent): SimEvent {
    this.#events.push(event);
    return event;
  }

  forget(isForgotten: (event: SimEvent) => boolean): void {
    this.#events = this.#events.filter((event) => !isForgotten(event));
  }

  /** Holds up all that a process waits for, in its order. */
  freeze(process: SimProcess, ms: number): void {
    process.frozenUntilMs = this.nowMs + ms;
    for (const event of this.#events)
      if (event.process === process) event.at = Math.max(event.at, process.frozenUntilMs);
  }

  /** Lets time pass of which nobody who moves notices anything but by a clock. */
  jump(ms: number): void {
    for (const event of this.#events) {
      const isFrozen = event.process !== undefined && event.process.frozenUntilMs > this.nowMs;
      if (!isFrozen) event.at += ms;
    }
    this.nowMs += ms;
  }

  /** Lets so much time pass that nobody stands still any more. */
  thaw(): void {
    const untilMs = Math.max(0, ...this.#events.map(({ process }) => process?.frozenUntilMs ?? 0));
    if (untilMs > this.nowMs) this.jump(untilMs - this.nowMs);
  }

  /** Notes what somebody did; what takes long to put into words is put so only where it is read. */
  note(who: string, what: string | (() => string)): void {
    this.#notes.push({ atMs: this.nowMs, who, what: typeof what === "string" ? () => what : what });
  }

  /** All that was noted, a line each. */
  get trace(): string[] {
    return this.#notes.map(({ atMs, who, what }) => {
      const named = [...this.names].reduce((text, [id, name]) => text.replaceAll(id, name), what());
      return `${atMs.toFixed(1).padStart(9)}  ${who.padEnd(9)} ${named}`;
    });
  }

  /** Lets one thing after the other happen until `isDone`, at most for so long. Whether it was done by then. */
  async run(isDone: () => boolean, mostMs = Infinity): Promise<boolean> {
    const endMs = this.nowMs + mostMs;
    for (;;) {
      await quiet();
      if (isDone()) return true;
      const event = this.policy(this.#events);
      if (!event || event.at > endMs) return false;
      this.#taken += 1;
      if (this.#taken > mostEvents) throw new Error("the run has no end");
      this.nowMs = Math.max(this.nowMs, event.at);
      this.forget((one) => one === event);
      await this.beforeEvent();
      await event.run();
    }
  }
}
