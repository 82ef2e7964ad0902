/** What plans are drawn with: chance, places, texts, and what a client asks. */
import type { Random } from "../support/random.ts";
import type { Ask, ListPage } from "./plan.ts";

/**
 * Draws the parts of a plan. Each plan has likings of its own: some kinds of operations it does not have, others it has
 * often, so that what needs several of a kind comes about.
 */
export class Draw {
  readonly random: Random;
  readonly #likings: readonly number[];
  readonly #refusals: number;
  readonly #keys: number;
  #texts = 0;

  constructor(random: Random) {
    this.random = random;
    this.#likings = Array.from({ length: 16 }, () => random.pick([0, 1, 1, 3]) ?? 1);
    this.#refusals = random.pick([0, 0, 0.1, 0.4]) ?? 0;
    this.#keys = random.pick([0, 0.1, 0.5]) ?? 0;
  }

  happens(chance: number): boolean {
    return this.random.next() < chance;
  }

  /** A moment within so many milliseconds. */
  momentMs(withinMs: number): number {
    return Math.round(this.random.next() * withinMs * 10) / 10;
  }

  text(): string {
    this.#texts += 1;
    if (!this.happens(this.#refusals)) return `text ${this.#texts}`;
    // Some for their size.
    return `refused${this.#texts % 3 === 0 ? " large" : ""} ${this.#texts}`;
  }

  /** Mostly the newest. */
  #place(): number {
    return this.random.pick([0, 0, 0, 0, 1, 1, 2]) ?? 0;
  }

  #page(): ListPage {
    return {
      order: this.happens(0.6) ? "asc" : "desc",
      perPage: this.happens(0.6) ? 100 : this.random.integer(1, 3),
    };
  }

  /** A repeated request is the same request. */
  post(): { text: string; key?: string } {
    const text = this.text();
    if (!this.happens(this.#keys)) return { text };
    const key = `key${this.random.integer(1, 2)}`;
    return { key, text: `text of ${key}` };
  }

  ask(): Ask {
    const [chat, message, text] = [this.#place(), this.#place(), this.text()];
    const asks: readonly (readonly [number, () => Ask])[] = [
      [26, () => ({ do: "post message", chat, ...this.post() })],
      [10, () => ({ do: "post chat", ...this.post() })],
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
      [2, () => ({ do: "post to guessed", text })],
    ];
    const weights = asks.map(([weight], nth) => weight * (this.#likings[nth] ?? 1));
    let left = this.random.next() * weights.reduce((sum, weight) => sum + weight, 0);
    for (const [nth, [, make]] of asks.entries()) {
      left -= weights[nth] ?? 0;
      if (left < 0) return make();
    }
    return { do: "get application" };
  }
}
