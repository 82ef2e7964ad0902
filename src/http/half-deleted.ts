import type { Buffer } from "../buffer/buffer.ts";
import type { Store } from "../store/store.ts";

/** Seconds for which the mark stays, unless the flusher comes to what lies beneath, and sets one with an end of its own. */
const markSeconds = 7 * 24 * 3600;

/**
 * Marks an application deleted in Redis whose deletion has come no further than MySQL, as its process died in between
 * or Redis was away. Whoever finds no application calls this before saying so: from then on nobody else may find one,
 * whichever of the two is asked.
 *
 * @throws what MySQL or Redis say, where they cannot serve
 */
export async function finishDeletion(buffer: Buffer, store: Store, token: string): Promise<void> {
  if (await store.removals.isNoted(token)) await buffer.revising.markDeleted({ token }, markSeconds);
}
