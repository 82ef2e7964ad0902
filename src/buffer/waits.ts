/** How long a partition's pending records have waited, by the clock of Redis. */
export interface Waits {
  /** The oldest of them; 0 when none is pending. */
  readonly oldestMs: number;
  /** Since something waits and nothing has left the buffer; of both lists the longer time, 0 when none is pending. */
  readonly stalledMs: number;
}

/** A pending list as it was found. */
interface FoundList {
  readonly length: number;
  /** When its first record was accepted, by the clock of the API process that did. */
  readonly acceptedAtMs: number | undefined;
  /** What scripts have noted; nothing where those of an older version put the first record there. */
  readonly noted: string | undefined;
}

/**
 * How long records have waited at a time of Redis. When the first one was accepted is known by another clock, which may
 * be hours off: it counts within the bounds that Redis knows.
 */
export function waitsOf(nowMs: number, lists: readonly FoundList[]): Waits {
  const waiting = lists.filter(({ length }) => length > 0).map((list) => waitOf(nowMs, list));
  return {
    oldestMs: Math.max(0, ...waiting.map(({ oldestMs }) => oldestMs)),
    stalledMs: Math.max(0, ...waiting.map(({ stalledMs }) => stalledMs)),
  };
}

function waitOf(nowMs: number, { acceptedAtMs, noted }: FoundList): Waits {
  const known = /^(\d+) (\d+) /.exec(noted ?? "");
  const claimedMs = acceptedAtMs === undefined ? 0 : nowMs - acceptedAtMs;
  if (!known) return { oldestMs: claimedMs, stalledMs: 0 };
  const [leastMs, mostMs] = [nowMs - Number(known[1]), nowMs - Number(known[2])];
  return { oldestMs: Math.max(leastMs, Math.min(mostMs, claimedMs)), stalledMs: leastMs };
}
