import { increment } from "../support/counts.ts";
import type { Answer } from "../support/client.ts";

/** How the POSTs of one span of time were answered, and what of that must not be. */
export class Answers {
  /** By status and code, of chats and messages. */
  readonly counts = new Map<string, number>();
  readonly problems = new Map<string, number>();
  slowestMs = 0;

  note(kind: string, { status, headers, body }: Answer<unknown>, tookMs: number): void {
    this.slowestMs = Math.max(this.slowestMs, tookMs);
    const { code = "" } = body as { code?: string };
    const isFine = status === 201 || (status === 503 && Number(headers["retry-after"]) >= 1);
    if (!isFine) increment(this.problems, `${kind} answered ${status} ${code}`);
    if (kind === "application") return;
    increment(this.counts, status === 201 ? "201" : `${status} ${code}`);
  }

  /** A connection may have been closed as it was used again; otherwise each is answered, and as it is described. */
  noteError(error: unknown): void {
    const { code = "", message } = error as { code?: string; message: string };
    if (code === "") increment(this.problems, `no answer: ${message}`.slice(0, 300));
    increment(this.counts, `none ${code}`);
  }

  /** The share of the chats and messages that were accepted. */
  get shareAccepted(): number {
    const all = [...this.counts.values()].reduce((sum, count) => sum + count, 0);
    return all === 0 ? 1 : (this.counts.get("201") ?? 0) / all;
  }
}
