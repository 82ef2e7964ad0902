/** Draws a plan from a seed. */
import type { Random } from "../crash/random.ts";
import { spread } from "./chance.ts";
import {
  type Ask,
  type ClientOperation,
  type EngineFault,
  everyLoss,
  type Fault,
  type ListPage,
  type Plan,
  type PlanOptions,
  type Round,
} from "./plan.ts";
import { namedCalls } from "./product-calls.ts";
import type { CallFault, LinkFault } from "./steps.ts";

/** A plan drawn from a seed. */
export function drawPlan(seed: number, random: Random, options: PlanOptions = everyLoss): Plan {
  const draw = new Draw(random);
  const roundCount = random.integer(1, 4);
  const rounds = Array.from({ length: roundCount }, (_, nth) => draw.round(nth));
  return {
    seed,
    settings: {
      thresholds: { chats: random.integer(1, 4), messages: random.integer(1, 6) },
      maxRows: random.integer(1, 6),
    },
    pace: {
      stalls: random.pick([0, 5, 15, 30]) ?? 0,
      mostStallMs: random.pick([50, 500, 2900]) ?? 50,
      slow: random.pick([undefined, undefined, "mysql", "redis"] as const),
    },
    flushers: random.integer(1, 4) === 1 ? 2 : 1,
    skewsMs: Array.from({ length: 4 }, () => (draw.happens(0.3) ? random.integer(-30_000, 30_000) : 0)),
    chats: random.integer(1, 2),
    messages: draw.isHurried ? random.integer(3, 4) : random.integer(0, 4),
    rounds,
    faults: draw.faults(roundCount, options),
  };
}

/**
 * Draws the parts of a plan. Each plan has likings of its own: some kinds of operations it does not have, others it has
 * often, so that what needs several of a kind comes about.
 */
class Draw {
  readonly #random: Random;
  readonly #likings: readonly number[];
  readonly #refusals: number;
  readonly #keys: number;
  /** Which loss a plan has, if it is one of losses. */
  readonly #loss: number;
  /** Whether clients do little but change messages, one after the other, in round after round. */
  readonly isHurried: boolean;
  /** Whether clients post to idle parents through both processes, one of which may stand still while it loads. */
  readonly isIdle: boolean;
  #texts = 0;

  constructor(random: Random) {
    this.#random = random;
    this.isHurried = this.happens(0.25);
    this.isIdle = !this.isHurried && this.happens(0.15);
    this.#loss = this.happens(0.3) ? random.next() : -1;
    this.#likings = Array.from({ length: 15 }, () => random.pick([0, 1, 1, 3]) ?? 1);
    this.#refusals = random.pick([0, 0, 0.1, 0.4]) ?? 0;
    this.#keys = random.pick([0, 0.1, 0.5]) ?? 0;
  }

  happens(chance: number): boolean {
    return this.#random.next() < chance;
  }

  round(nth: number): Round {
    if (this.isIdle) return this.#idleRound(nth);
    return this.isHurried ? this.#hurriedRound(nth) : this.#anyRound(nth);
  }

  /** One posts to an idle parent, and others do so while it loads; all that is flushed meanwhile. */
  #idleRound(nth: number): Round {
    const random = this.#random;
    const count = random.integer(2, 4);
    const withinMs = random.pick([3, 30, 300]) ?? 30;
    const ofChats = this.happens(0.3);
    const operations = Array.from({ length: count }, (_, at): ClientOperation => ({
      id: `${nth}.${at}`,
      api: at === 0 ? 0 : 1,
      atMs: at === 0 ? 0 : Math.round(random.next() * withinMs * 10) / 10,
      ask: ofChats
        ? { do: "post chat", ...this.#post() }
        : this.happens(0.15)
          ? { do: "delete message", chat: 0, message: 0 }
          : { do: "post message", chat: 0, ...this.#post() },
    }));
    return {
      before: "a flush and an hour",
      operations,
      minuteAtMs: Math.round(random.next() * withinMs) + 5,
    };
  }

  /** Several messages are changed in some order, and perhaps another one is posted between. */
  #hurriedRound(nth: number): Round {
    const random = this.#random;
    const before =
      nth === 0 ? "a flush and an hour" : (random.pick(["a moment", "nothing"] as const) ?? "nothing");
    const places = random.shuffled([0, 1, 2, 3]).slice(0, random.integer(3, 4));
    const asks = places.map((message): Ask =>
      this.happens(0.15)
        ? { do: "post message", chat: 0, text: this.#text() }
        : { do: "update message", chat: 0, message, text: this.#text() },
    );
    const operations = asks.map((ask, at) => ({ id: `${nth}.${at}`, api: 0 as const, atMs: at * 4, ask }));
    const again = this.happens(0.7) ? this.#again(nth, operations) : [];
    return {
      before,
      operations: [...operations, ...again],
      ...(this.happens(0.7) && { minuteAtMs: 20 }),
    };
  }

  /** The same once more while its flush may be under way, one of it otherwise. */
  #again(nth: number, operations: readonly ClientOperation[]): ClientOperation[] {
    const random = this.#random;
    const startMs = 15 + Math.round(spread(random.next(), 5, 300));
    const other = random.integer(0, operations.length - 1);
    return operations.map(({ api, atMs, ask }, at) => {
      const { message } = { message: 0, ...ask };
      const place = at === other ? random.integer(0, 3) : message;
      const text = this.#text();
      return {
        id: `${nth}.${operations.length + at}`,
        api,
        atMs: atMs + startMs,
        ask: { do: "update message", chat: 0, message: place, text },
      };
    });
  }

  #anyRound(nth: number): Round {
    const random = this.#random;
    const before = this.happens(0.35)
      ? "nothing"
      : (random.pick([
          "a moment",
          "flush",
          "an hour",
          "a flush and an hour",
          "a flush and an hour",
          "counts",
        ] as const) ?? "nothing");
    const withinMs = random.pick([3, 20, 200]) ?? 20;
    const count = random.integer(1, 6);
    const operations = Array.from({ length: count }, (_, at): ClientOperation => ({
      id: `${nth}.${at}`,
      api: this.happens(0.5) ? 0 : 1,
      atMs: Math.round(random.next() * withinMs * 10) / 10,
      ask: this.#ask(),
    }));
    return { before, operations, ...(this.happens(0.5) && { minuteAtMs: random.integer(0, withinMs) }) };
  }

  faults(rounds: number, { losses }: PlanOptions): Fault[] {
    const count = this.#random.pick([0, 0, 1, 1, 2, 3]) ?? 0;
    if (this.isIdle && losses.has("redis put back") && this.happens(0.4))
      return [this.#putBackWhileLoading(rounds)];
    return Array.from({ length: count }, () =>
      losses.size > 0 && this.happens(this.#loss >= 0 ? 0.8 : 0.3)
        ? this.#engineFault(rounds, [...losses])
        : this.happens(0.3)
          ? this.#linkFault()
          : this.#callFault(),
    );
  }

  /** A Redis that is put back to what it was before a round, when something of the round was flushed. */
  #putBackWhileLoading(rounds: number): EngineFault {
    const round = this.#random.integer(0, rounds - 1);
    const atMs = this.#random.integer(0, 20);
    return { kind: "engine", what: "redis put back", round, atMs, after: "acknowledge", takenAtMs: 0, ms: 0 };
  }

  #linkFault(): LinkFault {
    const call = this.#random.pick(["acknowledge", "acknowledge", "commit", "accept", "revise"]) ?? "commit";
    return { kind: "link", call, percent: this.#random.pick([20, 50]) ?? 20 };
  }

  #engineFault(rounds: number, losses: readonly EngineFault["what"][]): EngineFault {
    const random = this.#random;
    const liked = this.#loss < 0 ? undefined : losses[Math.floor(this.#loss * losses.length)];
    const isAfterCall = this.happens(0.5);
    return {
      kind: "engine",
      what: liked ?? random.pick(losses) ?? "redis emptied",
      round: random.integer(0, rounds - 1),
      atMs: Math.round(spread(random.next(), 1, isAfterCall ? 100 : 1500)),
      ...(isAfterCall && {
        after: random.pick(["acknowledge", "acknowledge", "accept", "commit"]) ?? "accept",
      }),
      takenAtMs: this.happens(0.5) ? 0 : Math.round(spread(random.next(), 1, 500)),
      ms: Math.round(spread(random.next(), 5, 5000)),
    };
  }

  #callFault(): CallFault {
    const random = this.#random;
    const what =
      random.pick([
        "never",
        "reply lost",
        "reply lost",
        "cut",
        "late",
        "gone before",
        "gone after",
        "frozen",
        "frozen after",
      ] as const) ?? "never";
    const ms = what.startsWith("frozen")
      ? spread(random.next(), 500, 7_200_000)
      : spread(random.next(), 1, 3000);
    const nth = Math.ceil(spread(random.next(), 0.5, 8));
    return { kind: "call", call: random.pick(namedCalls) ?? "accept", nth, what, ms: Math.round(ms) };
  }

  #text(): string {
    this.#texts += 1;
    return `${this.happens(this.#refusals) ? "refused" : "text"} ${this.#texts}`;
  }

  /** Mostly the newest. */
  #place(): number {
    return this.#random.pick([0, 0, 0, 0, 1, 1, 2]) ?? 0;
  }

  #page(): ListPage {
    return {
      order: this.happens(0.6) ? "asc" : "desc",
      perPage: this.happens(0.6) ? 100 : this.#random.integer(1, 3),
    };
  }

  /** A repeated request is the same request. */
  #post(): { text: string; key?: string } {
    const text = this.#text();
    if (!this.happens(this.#keys)) return { text };
    const key = `key${this.#random.integer(1, 2)}`;
    return { key, text: `text of ${key}` };
  }

  #ask(): Ask {
    const [chat, message, text] = [this.#place(), this.#place(), this.#text()];
    const asks: readonly (readonly [number, () => Ask])[] = [
      [26, () => ({ do: "post message", chat, ...this.#post() })],
      [10, () => ({ do: "post chat", ...this.#post() })],
      [16, () => ({ do: "delete message", chat, message })],
      [6, () => ({ do: "delete chat", chat })],
      [18, () => ({ do: "update message", chat, message, text })],
      [7, () => ({ do: "update chat", chat, text })],
      [5, () => ({ do: "get message", chat, message })],
      [3, () => ({ do: "get chat", chat })],
      [5, () => ({ do: "list messages", chat, page: this.#page() })],
      [3, () => ({ do: "list chats", page: this.#page() })],
      [2, () => ({ do: "create application", key: "app" })],
      [2, () => ({ do: "delete application" })],
      [1, () => ({ do: "get application" })],
      [1, () => ({ do: "requeue", nth: 0 })],
      [3, () => ({ do: "discard", nth: 0 })],
    ];
    const weights = asks.map(([weight], nth) => weight * (this.#likings[nth] ?? 1));
    let left = this.#random.next() * weights.reduce((sum, weight) => sum + weight, 0);
    for (const [nth, [, make]] of asks.entries()) {
      left -= weights[nth] ?? 0;
      if (left < 0) return make();
    }
    return { do: "get application" };
  }
}
