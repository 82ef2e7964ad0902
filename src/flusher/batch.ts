/** How far a drain of one list has come. */
export interface DrainProgress {
  /** Until the list is below the threshold, or what waited when the drain began. */
  readonly extent: "to-threshold" | "what-waited";
  readonly threshold: number;
  /** References in the list when the drain began. */
  readonly waitingAtStart: number;
  /** References flushed since. */
  readonly taken: number;
  /** References in the list now. */
  readonly waiting: number;
}

/**
 * Whether another batch should be flushed. A threshold is when to wake, not how much to take: such a drain
 * goes on until the list is below it. The other kind leaves what arrives meanwhile to the threshold, so that
 * it ends under any load.
 */
export function wantsAnother({ extent, threshold, waitingAtStart, taken, waiting }: DrainProgress): boolean {
  if (waiting === 0) return false;
  return extent === "to-threshold" ? waiting >= threshold : taken < waitingAtStart;
}

/** How far the drain will have come when a batch is flushed, but for what arrives meanwhile. */
export function after(progress: DrainProgress, batchLength: number): DrainProgress {
  const { taken, waiting } = progress;
  return { ...progress, taken: taken + batchLength, waiting: waiting - batchLength };
}

/**
 * Whether the batch after this one is worth reading while this one is being written: only a full one that will
 * be flushed, as a shorter one would be outgrown by then. An empty batch says that the list is not what it was
 * thought to be: then it must be asked again how long it is.
 */
export function worthReadingAhead(progress: DrainProgress, batchLength: number, maxRows: number): boolean {
  const next = after(progress, batchLength);
  return batchLength > 0 && next.waiting >= maxRows && wantsAnother(next);
}

/** Long enough for a burst to gather, and nothing to a client, who can read a record as soon as it has a 201. */
const gatheringMs = 100;

/**
 * How long a batch may still gather before it is read. Without this a flusher that keeps up writes batches
 * as small as the threshold, and MySQL pays for each. A full batch, or one that was asked for, does not wait.
 */
export function gatherMs(extent: DrainProgress["extent"], waiting: number, maxRows: number): number {
  return extent === "to-threshold" && waiting < maxRows ? gatheringMs : 0;
}
