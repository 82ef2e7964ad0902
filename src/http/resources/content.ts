import type { z } from "zod";

import type { Kind } from "../../records/fields.ts";
import type { Fields } from "../../records/records.ts";

/** Parts of schemas and views that come of the fields a kind of record has beside its text. */

type Members = Readonly<Record<string, unknown>>;

/** What a client may send of each: left out or null where it is not to be set. */
export function fieldInputs({ fields }: Kind): Record<string, z.ZodType<string | null | undefined>> {
  return Object.fromEntries(fields.map(({ name, input }) => [name, input.nullish()]));
}

/** What a client sees of each, where it is set. */
export function fieldViews({ fields }: Kind): Record<string, z.ZodOptional<z.ZodType>> {
  return Object.fromEntries(fields.map(({ name, view }) => [name, view.optional()]));
}

/** The fields that are set, as a client sees them. */
export function showFields({ fields }: Kind, kept: Fields): Members {
  const shown: Record<string, unknown> = {};
  for (const { name, show } of fields) {
    const text = kept[name];
    if (typeof text === "string") shown[name] = show(text);
  }
  return shown;
}

/** Whether any of them is named, be it to remove it. */
export function namesField({ fields }: Kind, members: Members): boolean {
  return fields.some(({ name }) => members[name] !== undefined);
}

/** Each of them removed: what is left of one that a whole record is sent without. */
export function withoutFields({ fields }: Kind): Fields {
  return Object.fromEntries(fields.map(({ name }) => [name, null]));
}

/** Bytes of JSON that they take at most: it may spell one byte with six characters. */
export function fieldJsonBytes({ fields }: Kind): number {
  return fields.reduce((sum, { maxBytes }) => sum + 6 * maxBytes, 0);
}
