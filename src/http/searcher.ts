import type { Buffer } from "../buffer/buffer.ts";
import type { Message } from "../records/records.ts";
import { hitsAmong } from "../search/hits.ts";
import { compareHits, maxHits, type Search } from "../search/search.ts";
import type { Store } from "../store/store.ts";
import { type Fresh, owedMessages, pendingMessages } from "./fresh-messages.ts";
import type { Reader, Searcher } from "./services.ts";
import { answerable } from "./unavailable.ts";

const nothing: Fresh = { numbers: [], messages: [] };

/**
 * Searches what is pending, then what is owed to the index, then the index, in this order: a message that a
 * flush or the indexer moves in between is seen in one of them, and what was seen is left out of the next.
 */
export function createSearcher(buffer: Buffer, store: Store, read: Reader, search: Search): Searcher {
  return {
    async messages(token, chatNumber, query, { number, perPage }) {
      await read.chat(token, chatNumber);
      const chat = { token, chatNumber };
      const pending = await answerable(pendingMessages(buffer, store, chat));
      const owed = search.hasIndex ? await answerable(owedMessages(buffer, store, chat)) : nothing;
      const isBehind = owed === "behind";
      const fresh = together(pending, isBehind ? nothing : owed);

      const first = (number - 1) * perPage;
      const limit = Math.min(first + perPage + 1, maxHits);
      const request = { ...chat, query, except: fresh.numbers, limit };
      const found = await answerable(isBehind ? search.findWithoutIndex(request) : search.find(request));
      const hits = [...(await hitsAmong(fresh.messages, query)), ...found.hits].sort(compareHits);
      const shown = hits.slice(first, first + perPage).map((hit) => hit.number);
      return {
        items: await messagesInOrder(store, [token, chatNumber], shown, fresh.messages),
        hasNext: hits.length > first + perPage,
        engine: found.engine,
        degraded: found.degraded || !pending.isComplete,
      };
    },
  };
}

function together(newer: Fresh, older: Fresh): Fresh {
  const seen = new Set(newer.numbers);
  const isNew = (number: number) => !seen.has(number);
  return {
    numbers: [...newer.numbers, ...older.numbers.filter(isNew)],
    messages: [...newer.messages, ...older.messages.filter((message) => isNew(message.number))],
  };
}

/** Messages by their numbers, as they are now; without those that were deleted meanwhile. */
async function messagesInOrder(
  store: Store,
  chat: [string, number],
  numbers: readonly number[],
  fresh: readonly Message[],
): Promise<Message[]> {
  const known = new Map(fresh.map((message) => [message.number, message]));
  const missing = numbers.filter((number) => !known.has(number));
  for (const message of await answerable(store.reads.messages.among(chat, missing))) {
    known.set(message.number, message);
  }
  return numbers.flatMap((number) => known.get(number) ?? []);
}
