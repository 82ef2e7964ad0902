import { setTimeout as delay } from "node:timers/promises";

/** A look at an engine is over by then; with all of them a readiness probe is answered within a second. */
const patienceMs = 800;

/** Why an engine does not do what it is asked, and what to do about it. */
export interface Refusal {
  readonly detail: string;
  readonly remedy: string;
}

/** What a look finds, or what is to be said where it takes too long. */
export async function inTime<T>(look: Promise<T>, late: T): Promise<T> {
  return Promise.race([look, delay(patienceMs, late, { ref: false })]);
}

/** What is said of an engine that did not answer in time. */
export const tooLate = `does not answer within ${patienceMs} ms`;

/** One thing readiness looks at; `ready` is false where the API cannot do its work without it. */
export interface Check {
  readonly name: string;
  readonly ready: boolean;
  /** Whether it answers, needed or not. */
  readonly answers: boolean;
  readonly detail: string;
  /** What to do about it, where that can be told. */
  readonly remedy?: string;
  /** Whether clients notice, though the API is of use without it. */
  readonly isNoticed?: boolean;
}
