/** One thing readiness looks at; `ready` is false where the API cannot do its work without it. */
export interface Check {
  readonly name: string;
  readonly ready: boolean;
  /** Whether it answers, needed or not. */
  readonly answers: boolean;
  readonly detail: string;
  /** What to do about it, where that can be told. */
  readonly remedy?: string;
}
