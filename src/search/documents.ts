import { createHash } from "node:crypto";

import { mark } from "./matching.ts";

/** A message's place among all. */
export interface MessageKey {
  readonly token: string;
  readonly chatNumber: number;
  readonly number: number;
}

export interface MessageText extends MessageKey {
  readonly body: string;
}

/** What is indexed of a message. */
export interface SearchDocument {
  readonly token: string;
  readonly chat_number: number;
  readonly number: number;
  readonly digest: number;
  readonly text: string;
}

/** A document's id, and a key for maps. Tokens hold no colon. */
export function documentId({ token, chatNumber, number }: MessageKey): string {
  return `${token}:${chatNumber}:${number}`;
}

export function toDocument({ token, chatNumber, number, body }: MessageText): SearchDocument {
  const text = mark(body);
  return { token, chat_number: chatNumber, number, digest: digestOf(text), text };
}

/** 48 bits that differ when a marked text does; as a number they are exact everywhere. */
export function digestOf(text: string): number {
  return createHash("sha256").update(text).digest().readUIntBE(0, 6);
}
