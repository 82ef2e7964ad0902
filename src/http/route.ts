import type { z } from "zod";
import type { ApiError } from "../errors.ts";
import type { RouteContext } from "./context.ts";
import type { HeaderName } from "./openapi/headers.ts";
import type { AnswerName, InputName, Json } from "./openapi/schemas.ts";
import type { Services } from "./services.ts";

export type Method = "get" | "post" | "put" | "patch" | "delete";

/** What a route takes: a resource's fields, bare or in an object under its name. */
export interface Body {
  readonly wrapper: string;
  readonly schema: InputName;
  /** The most bytes of JSON that are read; `messageMaxBytes` is that of `Api`. */
  readonly maxBytes: (messageMaxBytes: number) => number;
  /** False where no body at all is as good as an empty one. */
  readonly isRequired: boolean;
  readonly example: Json;
}

/** What a route answers when all is well. */
export interface Success {
  readonly status: 200 | 201;
  readonly description: string;
  readonly headers?: readonly HeaderName[];
  /** What of the answer a next request needs: the route's id, and its path's parameters as runtime expressions. */
  readonly next?: { readonly id: string; readonly parameters: Readonly<Record<string, string>> };
  readonly content: JsonContent | TextContent;
}

export interface JsonContent {
  readonly schema: AnswerName;
  /** By name, what an answer may look like. */
  readonly examples: Readonly<Record<string, unknown>>;
}

/** An answer that is not JSON, or is JSON of somebody else's schema. */
export interface TextContent {
  readonly types: readonly string[];
  readonly inline: Json;
}

/** What the routes answer with, put together once at start. */
export interface Api extends Services {
  /** The most bytes of UTF-8 that a message's text may have. */
  readonly messageMaxBytes: number;
  /** The OpenAPI document, as JSON. */
  readonly description: string;
}

/**
 * A route: what its reader is told of it and what it does. The router and the API's description are both made of it,
 * and each adds what all routes have in common.
 */
export interface Route {
  readonly method: Method;
  /** As the router has it, without the prefix: `/applications/:token`. */
  readonly path: string;
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly query?: z.ZodObject;
  readonly body?: Body;
  readonly takesIdempotencyKey?: true;
  readonly success: Success;
  /** What can go wrong here, made as the handler makes it: status, code and sentence come from there. */
  readonly errors: readonly ApiError[];
  /** Answers of another kind than success and problem, by status, as the document writes them. */
  readonly otherAnswers?: Json;
  /** A probe or a scrape, which comes by the clock: not counted against the client's rate, nor worth a line in the log. */
  readonly isProbe?: true;
  /** Answers a request; its body was read. */
  readonly handle: (ctx: RouteContext, api: Api) => Promise<void> | void;
}
