import { setImmediate as yieldToOthers } from "node:timers/promises";

import { type Query, rankOfText } from "./matching.ts";
import type { Hit } from "./search.ts";

/** Text is matched in pieces of so many characters, with others served in between. */
const charactersAtOnce = 256 * 1024;

/** Those of some messages that match a query, in the order in which they were given. */
export async function hitsAmong(
  messages: readonly { readonly number: number; readonly body: string }[],
  query: Query,
): Promise<Hit[]> {
  const hits: Hit[] = [];
  let characters = 0;
  for (const { number, body } of messages) {
    const rank = rankOfText(body, query);
    if (rank !== undefined) hits.push({ number, rank });
    characters += body.length;
    if (characters < charactersAtOnce) continue;
    characters = 0;
    await yieldToOthers();
  }
  return hits;
}
