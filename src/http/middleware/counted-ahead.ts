import { LRUCache } from "lru-cache";

/** Places in the count of an address's requests within one window: each is one request's. */
export interface Places {
  readonly first: number;
  readonly last: number;
  /** When counting begins anew, Unix milliseconds. */
  readonly endsAtMs: number;
}

/** What is known here of an address's window. */
interface Window {
  readonly endsAtMs: number;
  /** Requests that came here. */
  came: number;
  /** The last place that is known to be counted. */
  readonly counted: number;
  /** What was counted ahead and is not given yet: from the one to the other, or nothing. */
  next: number;
  readonly last: number;
  isAsking: boolean;
}

/** So much of what came here, and of what is left to the address, may be counted ahead. */
const ofWhatCame = 1 / 8;
const ofWhatIsLeft = 1 / 64;
const mostAhead = 1000;

const addressesKept = 1000;

/**
 * Counts requests of busy addresses before they come, some with each call that counts, so that most of a flood need
 * not ask for its count. No place is given twice: never more get through than the limit says. What was counted ahead
 * and never came is refused too early where the address goes instead: at most an eighth of what this process had
 * of it in the window, and a 64th of the limit.
 */
export class CountedAhead {
  readonly #limit: number;
  readonly #windows = new LRUCache<string, Window>({ max: addressesKept });

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A place that was counted ahead, for a request that came; undefined where there is none. */
  take(key: string): Places | undefined {
    const window = this.#open(key);
    if (!window || window.next > window.last) return undefined;
    const place = window.next;
    window.next += 1;
    window.came += 1;
    return { first: place, last: place, endsAtMs: window.endsAtMs };
  }

  /** How many to count beside those that came. `keep` must be told what came of it. */
  wanted(key: string): number {
    const window = this.#open(key);
    if (!window || window.isAsking) return 0;
    const left = Math.max(this.#limit - window.counted, 0);
    const wanted = Math.floor(Math.min(window.came * ofWhatCame, left * ofWhatIsLeft, mostAhead));
    window.isAsking = wanted > 0;
    return wanted;
  }

  /** Keeps of what was counted all but the first places, which go to requests that came. */
  keep(key: string, { first, last, endsAtMs }: Places, cameNow: number): void {
    const before = this.#open(key);
    const isSame = before !== undefined && last > before.counted;
    const hasAhead = last - first >= cameNow;
    this.#windows.set(key, {
      endsAtMs,
      came: (isSame ? before.came : 0) + cameNow,
      counted: last,
      ...(hasAhead || !isSame
        ? { next: first + cameNow, last: Math.min(last, this.#limit), isAsking: false }
        : { next: before.next, last: before.last, isAsking: before.isAsking }),
    });
  }

  /** Forgets an address, whose count is to begin anew. */
  forget(key: string): void {
    this.#windows.delete(key);
  }

  #open(key: string): Window | undefined {
    const window = this.#windows.get(key);
    return window && Date.now() < window.endsAtMs ? window : undefined;
  }
}
