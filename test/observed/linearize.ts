/**
 * Whether operations on one object, of several clients at a time, can have happened one after the other, each at a
 * moment between its begin and its end. The search is that of Wing and Gong ("Testing and verifying concurrent
 * objects", 1993) with Lowe's memory of what was tried ("Testing for linearizability", 2017), one object at a time as
 * Horn and Kroening proved to be enough ("Faster linearizability checking via P-compositionality", 2015): what
 * Porcupine does for Go.
 */

/** Something that was done, and when: both times of one clock. */
export interface Timed {
  readonly beganMs: number;
  /** Infinite where nobody was told of its end: it may happen at any time. */
  readonly endedMs: number;
  /** Whether it has happened; one of unknown outcome may have. */
  readonly isCertain: boolean;
}

/** What an object may do. */
export interface Model<State, Operation> {
  readonly initial: State;
  /** The states in which the object can be after an operation; none where it cannot have happened. */
  step(state: State, operation: Operation): readonly State[];
  /** Alike for states that are alike, and for no others. */
  keyOf(state: State): string;
  /** Whether an operation leaves every state in which it can happen as it is. */
  isLook(operation: Operation): boolean;
}

export type Verdict<Operation> =
  | { readonly kind: "possible" }
  /** No order is possible; the operations of the longest that was tried, and one that nothing led up to. */
  | { readonly kind: "impossible"; readonly order: readonly Operation[]; readonly stuckAt: Operation }
  /** There was more to try than was allowed. */
  | { readonly kind: "undecided" };

/** Looks for an order of the operations, and gives up after so many steps. */
export function linearize<State, Operation extends Timed>(
  model: Model<State, Operation>,
  operations: readonly Operation[],
  mostSteps = 200_000,
): Verdict<Operation> {
  return new Search(model, operations, mostSteps).run();
}

/** What was put in order so far. */
interface Reached<State> {
  readonly state: State;
  readonly order: readonly number[];
  /** The latest begin in it: what had ended by then can no longer follow. */
  readonly latestBeginMs: number;
}

class Search<State, Operation extends Timed> {
  readonly #model: Model<State, Operation>;
  readonly #operations: readonly Operation[];
  readonly #tried = new Set<string>();
  #stepsLeft: number;
  #longest: readonly number[] = [];

  constructor(model: Model<State, Operation>, operations: readonly Operation[], mostSteps: number) {
    this.#model = model;
    this.#operations = [...operations].sort((a, b) => a.beganMs - b.beganMs);
    this.#stepsLeft = mostSteps;
  }

  run(): Verdict<Operation> {
    const start = { state: this.#model.initial, order: [], latestBeginMs: -Infinity };
    if (this.#follow(start)) return { kind: "possible" };
    const missing = this.#operations.filter(({ isCertain }, at) => isCertain && !this.#longest.includes(at));
    const [stuckAt] = missing.sort((a, b) => a.endedMs - b.endedMs);
    if (this.#stepsLeft <= 0 || !stuckAt) return { kind: "undecided" };
    return { kind: "impossible", order: this.#longest.map((at) => this.#at(at)), stuckAt };
  }

  #follow(reached: Reached<State>): boolean {
    const { state, order, latestBeginMs } = this.#takeLooks(reached);
    const done = new Set(order);
    const tried = `${[...done].sort((a, b) => a - b).join()} ${this.#model.keyOf(state)}`;
    if (this.#tried.has(tried)) return false;
    this.#tried.add(tried);
    if (order.length >= this.#longest.length) this.#longest = order;
    if (this.#operations.every(({ isCertain }, at) => !isCertain || done.has(at))) return true;
    for (const at of this.#candidates(done, latestBeginMs)) {
      for (const next of this.#model.step(state, this.#at(at))) {
        if ((this.#stepsLeft -= 1) <= 0) return false;
        const latest = Math.max(latestBeginMs, this.#at(at).beganMs);
        if (this.#follow({ state: next, order: [...order, at], latestBeginMs: latest })) return true;
      }
    }
    return false;
  }

  /** A look that can happen now may as well: it changes nothing, unless it comes to stand before what had ended. */
  #takeLooks({ state, order, latestBeginMs }: Reached<State>): Reached<State> {
    const done = new Set(order);
    let latest = latestBeginMs;
    const isFree = (at: number) => {
      const look = this.#at(at);
      if (!this.#model.isLook(look) || this.#model.step(state, look).length === 0) return false;
      return !this.#candidates(done, latest).some((other) => this.#at(other).endedMs < look.beganMs);
    };
    for (;;) {
      const at = this.#candidates(done, latest).find(isFree);
      if (at === undefined) return { state, order: [...done], latestBeginMs: latest };
      done.add(at);
      latest = Math.max(latest, this.#at(at).beganMs);
    }
  }

  /** What may come next: nothing that must come before it is missing, and it need not have come before. */
  #candidates(done: ReadonlySet<number>, latestBeginMs: number): number[] {
    const candidates: number[] = [];
    let earliestEndMs = Infinity;
    for (const [at, { beganMs, endedMs, isCertain }] of this.#operations.entries()) {
      if (done.has(at)) continue;
      if (beganMs > earliestEndMs) break;
      if (endedMs >= latestBeginMs) candidates.push(at);
      if (isCertain) earliestEndMs = Math.min(earliestEndMs, endedMs);
    }
    return candidates.filter((at) => this.#at(at).beganMs <= earliestEndMs);
  }

  #at(at: number): Operation {
    const operation = this.#operations[at];
    if (!operation) throw new Error("there is no such operation");
    return operation;
  }
}
