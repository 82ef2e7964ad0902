/** Why an operator's request is not done; told on a page, or as JSON to programs. */
export class Refusal extends Error {
  readonly status: number;
  /** What to do about it. */
  readonly remedy: string;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, message: string, remedy: string, retryAfterSeconds?: number) {
    super(message);
    this.name = "Refusal";
    this.status = status;
    this.remedy = remedy;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
