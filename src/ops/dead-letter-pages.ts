import type { Buffer } from "../buffer/buffer.ts";
import type { DeadLetter } from "../buffer/dead-letters.ts";

/** What of the dead letters is asked for; all of it is in the address, so that a view can be kept. */
export interface DeadLetterQuery {
  readonly partition: number;
  /** Dead letters passed over, the newest first. */
  readonly from: number;
  readonly perPage: number;
  /** What the id, the reason or the text must hold; empty for all. */
  readonly search: string;
}

export interface DeadLetterPage {
  readonly letters: readonly DeadLetter[];
  readonly total: number;
  /** How many were looked at, those of this page included. */
  readonly examined: number;
  /** Where the next page begins; absent where there is nothing more. */
  readonly next: number | undefined;
}

/** Looked at for one page of a search, however many there are: a search goes on from there. */
const mostExamined = 1000;
const readAtOnce = 200;

/** Reads one page. Its cost does not grow with the number of dead letters. */
export async function readDeadLetters(buffer: Buffer, query: DeadLetterQuery): Promise<DeadLetterPage> {
  const { partition, from, perPage, search } = query;
  const total = await buffer.deadLetters.count(partition);
  const wanted = search.toLowerCase();
  const letters: DeadLetter[] = [];
  let at = from;
  const stopAt = Math.min(total, from + (wanted === "" ? perPage : mostExamined));
  while (at < stopAt && letters.length < perPage) {
    const read = await buffer.deadLetters.list(partition, at, Math.min(readAtOnce, stopAt - at), "newest");
    if (read.length === 0) break;
    for (const letter of read) {
      at += 1;
      if (matches(letter, wanted)) letters.push(letter);
      if (letters.length === perPage) break;
    }
  }
  return { letters, total, examined: at - from, next: at < total ? at : undefined };
}

function matches({ id, reason, record, unreadable }: DeadLetter, wanted: string): boolean {
  return [id, reason, record?.text ?? unreadable ?? ""].some((text) => text.toLowerCase().includes(wanted));
}
