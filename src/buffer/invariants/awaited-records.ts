import type { Keys } from "../keys.ts";
import { type Parent, parentPath, type Reference } from "../references.ts";
import type { HomeName } from "./homes.ts";
import type { RecordFacts } from "./parent-facts.ts";

/** A record that must be listed once, or be a dead letter, and how often it was found to be. */
export interface Awaited {
  readonly parent: Parent;
  readonly number: number;
  readonly homeName: HomeName;
  readonly home: string;
  stamp: string;
  listed: number;
  isDeadLetter: boolean;
}

/** The records whose references are still to be met. */
export class AwaitedRecords {
  readonly #keys: Keys;
  readonly #byPlace = new Map<string, Awaited>();

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  /** Notes a record; what is awaited for a pending one is awaited for its twin among the revisions as well. */
  add(parent: Parent, { number, home: homeName, stamp }: RecordFacts): void {
    const home = this.#keys[homeName](parent);
    const place = placeIn(home, number);
    const known = this.#byPlace.get(place);
    if (known) known.stamp = stamp;
    else this.#byPlace.set(place, { parent, number, homeName, home, stamp, listed: 0, isDeadLetter: false });
    if (homeName === "pending") this.#byPlace.delete(placeIn(this.#keys.revisions(parent), number));
  }

  /** What a reference leads to, if it is awaited. */
  at(reference: Reference): Awaited | undefined {
    return this.#byPlace.get(placeIn(this.#keys.home(reference), reference.number));
  }

  /** Those that no list has, nor the list of dead letters. */
  unmet(): Awaited[] {
    return [...this.#byPlace.values()].filter(({ listed, isDeadLetter }) => listed === 0 && !isDeadLetter);
  }
}

/** A record's reference but for its mark. */
export function placeText({ parent, number }: Pick<Awaited, "parent" | "number">): string {
  return `${parentPath(parent)}:${number}`;
}

function placeIn(home: string, number: number): string {
  return `${home} ${number}`;
}
