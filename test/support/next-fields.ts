/**
 * `src/records/fields.ts` as a later version might have it, for tests of an upgrade: `next-version.mjs` loads it in its
 * place. Chats and messages may hold one more text, of which this version knows nothing.
 */
import { z } from "zod";

import * as current from "../../src/records/fields.ts";

export type { Field, Kind } from "../../src/records/fields.ts";
export const { maxTitleCharacters } = current;

const newest = Math.max(2, ...current.kinds.flatMap(({ fields }) => fields).map(({ since }) => since));

function added(name: string, mark: string): current.Field {
  return {
    name,
    mark,
    since: newest + 1,
    input: z.string().max(100),
    maxBytes: 400,
    view: z.string(),
    show: (kept) => kept,
  };
}

export const chat = { ...current.chat, fields: [...current.chat.fields, added("topic", "y")] };
export const message = { ...current.message, fields: [...current.message.fields, added("mood", "z")] };
export const kinds: readonly current.Kind[] = [chat, message];
