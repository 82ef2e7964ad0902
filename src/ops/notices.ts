import { countText, manyText } from "./format.ts";
import { wholeNumber } from "./parameters.ts";

/** What was just done, as the address of the next page says it: by a name and a number, never a text. */
const notices = {
  flushing: (count) => `Asked for a flush of ${manyText(count, "partition")}.`,
  paused: (count) => `Partition ${countText(count)} is paused; the batch in hand is finished first.`,
  resumed: (count) => `Partition ${countText(count)} goes on.`,
  requeued: (count) => `${manyText(count, "dead letter")} will be tried with the next flush.`,
  discarded: (count) => `${manyText(count, "dead letter")} discarded; the numbers stay given.`,
  replaced: () => "The new text is what readers see; it will be tried with the next flush.",
  asked: () => "A flusher was asked to run it, and will within seconds.",
  whole: () => "That backup is whole: it is what was written, to the last byte.",
  unblocked: () => "The address may ask again.",
} as const satisfies Record<string, (count: number) => string>;

export type NoticeName = keyof typeof notices;

/** The address of a page that says what was done. */
export function withNotice(address: string, name: NoticeName, count: number): string {
  return `${address}${address.includes("?") ? "&" : "?"}done=${name}&count=${count}`;
}

/** The sentence that the address of a page asks for; nothing for a name that there is not. */
export function noticeOf(query: URLSearchParams): string | undefined {
  const name = query.get("done") ?? "";
  if (!Object.hasOwn(notices, name)) return undefined;
  return notices[name as NoticeName](wholeNumber(query, "count", 0, 0));
}
