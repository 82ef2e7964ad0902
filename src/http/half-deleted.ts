import type { Buffer } from "../buffer/buffer.ts";
import { applicationMarkSeconds } from "../buffer/revising.ts";
import type { Store } from "../store/store.ts";

/**
 * Marks an application deleted in Redis whose deletion has come no further than MySQL, as its process died in between
 * or Redis was away. Whoever finds no application calls this before saying so: from then on nobody else may find one,
 * whichever of the two is asked. The mark has an end, in case its removal has been finished meanwhile.
 *
 * @throws what MySQL or Redis say, where they cannot serve
 */
export async function finishDeletion(buffer: Buffer, store: Store, token: string): Promise<void> {
  if (await store.removals.isNoted(token))
    await buffer.revising.markDeleted({ token }, applicationMarkSeconds);
}
