import type { Buffer } from "../buffer/buffer.ts";
import { type DeadLetter, isSetAside, recordOf } from "../buffer/dead-letters.ts";
import type { Store } from "../store/store.ts";
import type { NewRow } from "../store/tables.ts";

const lettersAtOnce = 500;

/**
 * Drops the dead letters of a partition whose records have landed since, as a Redis that was put back to an older copy
 * brings such letters back: readers would be shown the refused text for ever, messages of such a chat be refused, and a
 * discarded letter take the row along. To be called under the partition's lease, before anything is flushed.
 */
export async function dropLanded(buffer: Buffer, store: Store, partition: number): Promise<void> {
  for (let kept = 0, isLast = false; !isLast;) {
    const letters = await buffer.deadLetters.list(partition, kept, lettersAtOnce);
    isLast = letters.length < lettersAtOnce;
    const rows = letters.flatMap((letter) => rowOf(letter) ?? []);
    const landed = await store.writes.landed(rows);
    for (const { id } of landed) await buffer.deadLetters.drop(id);
    kept += letters.length - landed.length;
  }
}

/** The row that a letter's record would be; nothing where no row can tell that it landed. */
function rowOf({ id, record }: DeadLetter): (NewRow & { readonly id: string }) | undefined {
  const reference = recordOf(id);
  if (!reference || !record || record.isDeleted || isSetAside(id)) return undefined;
  return { ...reference, id, record };
}
