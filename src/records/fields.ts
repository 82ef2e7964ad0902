/**
 * What a chat and a message hold: the one place that says so. The form in which they cross the buffer, the rows of
 * MySQL, what a client may send and what it is shown, and the API's description derive from here. CONTRIBUTING.md says
 * how to add a field.
 */
import { z } from "zod";

import { filledShortText, filledText, shortText } from "./text.ts";

/** Something that a record may hold beside its text. Wherever it is kept it is a text, or null where it is not set. */
export interface Field {
  /** Its name in requests, in answers and as a column, which is nullable. */
  readonly name: string;
  /** One letter that names it in the buffer, of all kinds of records and for ever. */
  readonly mark: string;
  /** The version of the buffer's form that brought it: one more than the greatest before. */
  readonly since: number;
  /** What a client may send, and the text that it is kept as. */
  readonly input: z.ZodType<string>;
  /** Bytes of that text at most, in UTF-8. */
  readonly maxBytes: number;
  /** What a client is shown. */
  readonly view: z.ZodType;
  /** What is shown for what was kept. */
  readonly show: (kept: string) => unknown;
}

/** A kind of record that crosses the buffer. */
export interface Kind {
  readonly table: "chats" | "messages";
  /** Of its one text, which is searched and never left out of a row. */
  readonly textColumn: "title" | "body";
  readonly fields: readonly Field[];
}

/** What a client may send as the text, and what it is shown. */
interface Text {
  readonly input: z.ZodType;
  readonly view: z.ZodType;
}

export const maxTitleCharacters = 255;
const maxSenderCharacters = 255;
const maxMetadataBytes = 4096;

export const chat = {
  table: "chats" as const,
  textColumn: "title" as const,
  input: shortText(maxTitleCharacters)
    .nullish()
    .describe("The chat's title. Left out, it stays as it is; null removes it."),
  view: z.string().nullable().describe("The chat's title, or null."),
  fields: [] as readonly Field[],
} satisfies Kind & Text;

const sender: Field = {
  name: "sender",
  mark: "s",
  since: 3,
  input: filledShortText(maxSenderCharacters).describe(
    "Who the message is from, in the application's own words.",
  ),
  maxBytes: 4 * maxSenderCharacters,
  view: z.string().describe("Who the message is from, where that was said."),
  show: (kept) => kept,
};

const metadata: Field = {
  name: "metadata",
  mark: "m",
  since: 3,
  // Not a record of zod's: that copies the object, and loses members of some names.
  input: z
    .unknown()
    .refine((value) => typeof value === "object" && value !== null && !Array.isArray(value), {
      error: "must be an object",
      abort: true,
    })
    .transform((value) => JSON.stringify(value))
    .refine(
      (json) => Buffer.byteLength(json) <= maxMetadataBytes,
      `is too large (maximum is ${maxMetadataBytes} bytes of JSON)`,
    )
    .meta({ type: "object" })
    .describe(
      `What else the application keeps with the message, of at most ${maxMetadataBytes} bytes of JSON.`,
    ),
  maxBytes: maxMetadataBytes,
  view: z.looseObject({}).describe("What else the application keeps with the message, as it was sent."),
  show: (kept) => JSON.parse(kept) as unknown,
};

export const message = {
  table: "messages" as const,
  textColumn: "body" as const,
  // Its greatest size is a setting, so it is checked beside the schema.
  input: filledText().describe("The message's text, of at most `MESSAGE_MAX_BYTES` bytes in UTF-8."),
  view: z.string().describe("The message's text."),
  fields: [sender, metadata],
} satisfies Kind & Text;

export const kinds: readonly Kind[] = [chat, message];
