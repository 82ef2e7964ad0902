import type { JobName } from "../buffer/job-runs.ts";

/** Shows how far a long job has come. */
export interface Progress {
  readonly advance: (count: number) => void;
  readonly done: () => void;
}

/** Begins to show progress; `total` is absent where nobody knows it beforehand. */
export type ShowProgress = (what: string, total?: number) => Progress;

/** For a job that nobody watches. */
export const unseen: ShowProgress = () => ({ advance: () => undefined, done: () => undefined });

/** Something that is done by the clock, or when a person says so. */
export interface Job {
  readonly name: JobName;
  /**
   * Does it, once; answers in a sentence what was done. It can be repeated, and stopped at any point: when
   * `signal` aborts it ends soon, by throwing. It throws as well where it could not be done.
   */
  run(signal: AbortSignal, show: ShowProgress): Promise<string>;
}
