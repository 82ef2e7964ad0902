import { type Content, noFields } from "../../src/records/records.ts";

/** What a client says of a chat or message that has a text and nothing else. */
export function said(text: string | null): Content {
  return { text, fields: noFields };
}
