import type { Recorded } from "./recorded.ts";
import type { Deed, RecordOperation } from "./record-model.ts";

/** An operation on a record, and what was recorded that says so. */
export type Told = RecordOperation & { readonly by: Recorded };

/** What an act tells of a record. Unless told otherwise it has happened, at some moment of the act. */
export function tell(by: Recorded, deed: Deed, time: Partial<Omit<RecordOperation, "do">> = {}): Told {
  const { beganMs, endedMs } = by;
  return { beganMs, endedMs, isCertain: true, ...time, ...deed, by };
}

/** What was seen of a record, without what tells nothing new. */
export class Looks {
  readonly #sights = new Map<string, readonly [first: Told, last: Told]>();
  readonly #misses: Told[] = [];

  /**
   * A text is written once. So of all who saw it the one who had seen it first, and the one who began to look last,
   * say from when to when it was there; what the others saw follows.
   */
  add(look: Told): void {
    if (look.do === "miss") {
      this.#misses.push(look);
      return;
    }
    const sight = look.do === "see" ? `=${look.text}` : "";
    const [first, last] = this.#sights.get(sight) ?? [look, look];
    this.#sights.set(sight, [
      look.endedMs < first.endedMs ? look : first,
      look.beganMs > last.beganMs ? look : last,
    ]);
  }

  get all(): readonly Told[] {
    return [...new Set([...this.#sights.values()].flat()), ...this.#misses];
  }

  /** Whether a text was seen. */
  has(text: string): boolean {
    return this.#sights.has(`=${text}`);
  }

  /** Every text that was seen. */
  get texts(): string[] {
    return [...this.#sights.keys()].filter(Boolean).map((sight) => sight.slice(1));
  }
}
