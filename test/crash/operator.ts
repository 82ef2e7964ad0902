import { setTimeout as pause } from "node:timers/promises";

import type { Buffer } from "../../src/buffer/buffer.ts";
import type { DeadLetter } from "../../src/buffer/dead-letters.ts";
import type { Path, Removal } from "../observed/recorded.ts";
import type { Recorder } from "../observed/recorder.ts";
import { increment } from "../support/counts.ts";
import type { Random } from "../support/random.ts";

const betweenMs = [300, 1500] as const;
const name = "operator";

/** Looks after dead letters: tries some again, throws some away, and says where there is one that must not be. */
export class Operator {
  readonly problems: string[] = [];
  readonly counts = new Map<string, number>();
  readonly #buffer: Buffer;
  readonly #recorder: Recorder;
  readonly #random: Random;

  constructor(buffer: Buffer, recorder: Recorder, random: Random) {
    this.#buffer = buffer;
    this.#recorder = recorder;
    this.#random = random;
  }

  /** Goes on until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(this.#random.integer(...betweenMs));
      const letter = this.#random.pick(await this.#letters().catch(() => []));
      if (!letter) continue;
      if (this.#random.next() < 0.5) await this.#requeue(letter).catch(() => undefined);
      else await this.#discard(letter);
    }
  }

  /** Tries all of them again; true when it has. @throws where Redis is away */
  async hasRequeuedAll(): Promise<true> {
    for (const letter of await this.#letters()) await this.#requeue(letter);
    return true;
  }

  async #letters(): Promise<DeadLetter[]> {
    const letters: DeadLetter[] = [];
    for (let partition = 0; partition < this.#buffer.partitions; partition += 1)
      letters.push(...(await this.#buffer.deadLetters.list(partition, 0, 100)));
    for (const { id, reason } of letters) {
      const problem = `dead letter ${id}: ${reason}`;
      if (/^(conflict|unreadable)/.test(reason) && !this.problems.includes(problem))
        this.problems.push(problem);
    }
    return letters;
  }

  async #requeue({ id }: DeadLetter): Promise<void> {
    if (await this.#buffer.deadLetters.requeue(id)) increment(this.counts, "a dead letter tried again");
  }

  async #discard(letter: DeadLetter): Promise<void> {
    const discard = async (): Promise<Removal> => {
      const outcome = await this.#buffer.deadLetters.discard(letter.id).then(
        (isDone) => (isDone ? "done" : "refused"),
        () => "unknown" as const,
      );
      return { do: "discard", path: pathOf(letter), outcome };
    };
    const { outcome } = await this.#recorder.record(name, discard);
    if (outcome === "done") increment(this.counts, "a dead letter thrown away");
  }
}

function pathOf({ token, chatNumber, number }: DeadLetter): Path {
  return [token, chatNumber, number].filter((part) => part !== undefined).join("/");
}
