import type { Buffer } from "../buffer/buffer.ts";
import type { HistoryPoint } from "../buffer/history.ts";
import { recordsFlushed, type Status } from "./status.ts";

/** Records a second, over the last few seconds; null where it is not known yet. */
export interface Rates {
  readonly acceptedPerSecond: number | null;
  readonly flushedPerSecond: number | null;
}

/** A shorter time makes a rate jump with each batch. */
const overAtLeastMs = 4000;
/** An older point says what was, not what is. */
const overAtMostMs = 30_000;

/** The rates between a recent point of the history and what was read just now. */
export async function readRates(buffer: Buffer, status: Status): Promise<Rates> {
  const [points, nowMs] = await Promise.all([buffer.history.read("30m", 6), buffer.jobs.nowMs()]);
  return ratesSince(points, pointOf(status, nowMs));
}

/** The rates from the latest point that is old enough until now. */
export function ratesSince(points: readonly HistoryPoint[], now: HistoryPoint): Rates {
  const isUsable = ({ atMs }: HistoryPoint) =>
    now.atMs - atMs >= overAtLeastMs && now.atMs - atMs <= overAtMostMs;
  const base = points.findLast(isUsable);
  return {
    acceptedPerSecond: base ? perSecond(base, now, "accepted") : null,
    flushedPerSecond: base ? perSecond(base, now, "flushed") : null,
  };
}

/** How fast a total grew between two points; never below 0, should Redis have lost data in between. */
export function perSecond(from: HistoryPoint, to: HistoryPoint, total: "accepted" | "flushed"): number {
  return Math.max(0, to[total] - from[total]) / ((to.atMs - from.atMs) / 1000);
}

/** A status as a point of the history. */
export function pointOf(status: Status, atMs: number): HistoryPoint {
  return {
    atMs,
    accepted: status.accepted.chats + status.accepted.messages,
    flushed: recordsFlushed(status),
    pending: status.pending.chats + status.pending.messages,
    pendingBytes: status.pendingBytes,
    oldestAgeMs: status.oldestAgeSeconds * 1000,
    deadLetters: status.deadLetters,
  };
}
