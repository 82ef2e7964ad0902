import type { Act, Recorded } from "./recorded.ts";

/** Keeps account of what many clients do, each with its begin and its end by one clock. */
export class Recorder {
  readonly history: Recorded[] = [];
  /** How often each kind of act ended how. */
  readonly counts = new Map<string, number>();
  /** Calls that were carried out or had nothing to be carried out on. */
  answers = 0;

  /** Does something that says itself what it was and how it ended. */
  async record<A extends Act>(client: string, act: () => Promise<A>): Promise<A> {
    const beganMs = performance.now();
    const done = await act();
    this.note(client, done, beganMs);
    return done;
  }

  /** Takes down something that began then and has just ended. */
  note(client: string, done: Act, beganMs: number): void {
    this.history.push({ ...done, client, beganMs, endedMs: performance.now() });
    const name = "outcome" in done ? `${done.do} ${done.outcome}` : done.do;
    if ("outcome" in done && (done.outcome === "done" || done.outcome === "missing")) this.answers += 1;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }
}
