import type { ApiError } from "../errors.ts";
import {
  applicationNotFound,
  applicationUnknown,
  chatNotFound,
  chatUnknown,
  messageNotFound,
} from "../errors.ts";
import type { RouteContext } from "./context.ts";

/**
 * Tokens and numbers in a path. What cannot be one names nothing, so it is answered with the same 404 as
 * one that does not exist, and reaches no store.
 */

export const tokenPattern = /^[A-Za-z0-9_-]{1,64}$/;
const numberPattern = /^[1-9]\d{0,15}$/;
const shownLength = 64;

/** Where a chat is. */
export interface ChatPlace {
  readonly token: string;
  readonly chatNumber: number;
}

/** Where a message is. */
export interface MessagePlace extends ChatPlace {
  readonly number: number;
}

/** The application a path names. @throws {ApiError} `applicationNotFound` */
export const applicationIn = ({ params }: RouteContext): string =>
  tokenFrom(params["token"], applicationNotFound);

/** The chat a path names. @throws {ApiError} `applicationNotFound`, `chatNotFound` */
export const chatIn = (ctx: RouteContext): ChatPlace => ({
  token: applicationIn(ctx),
  chatNumber: numberFrom(ctx.params["number"], chatNotFound),
});

/** The message a path names. @throws {ApiError} `applicationNotFound`, `chatNotFound`, `messageNotFound` */
export const messageIn = (ctx: RouteContext): MessagePlace => ({
  ...chatIn(ctx),
  number: numberFrom(ctx.params["message_number"], messageNotFound),
});

/** The application that a new chat is for. @throws {ApiError} `applicationUnknown` */
export const parentApplicationIn = ({ params }: RouteContext): string =>
  tokenFrom(params["token"], applicationUnknown);

/** The chat that a new message is for. @throws {ApiError} `applicationUnknown`, `chatUnknown` */
export function parentChatIn(ctx: RouteContext): ChatPlace {
  const token = parentApplicationIn(ctx);
  return { token, chatNumber: numberFrom(ctx.params["number"], (number) => chatUnknown(token, number)) };
}

function tokenFrom(text: string | undefined, missing: (token: string) => ApiError): string {
  if (text === undefined || !tokenPattern.test(text)) throw missing(shown(text));
  return text;
}

function numberFrom(text: string | undefined, missing: (number: string) => ApiError): number {
  const number = text !== undefined && numberPattern.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(number)) throw missing(shown(text));
  return number;
}

/** An answer repeats only so much of what it was sent. */
const shown = (text = "") => (text.length > shownLength ? `${text.slice(0, shownLength)}…` : text);
