import type { z } from "zod";
import type { ApiError } from "../../errors.ts";
import type { HeaderName } from "./headers.ts";
import type { AnswerName, InputName, Json } from "./schemas.ts";

export type Method = "get" | "post" | "put" | "patch" | "delete";

/** What an operation takes: a resource's fields, bare or in an object under its name. */
export interface Body {
  readonly wrapper: string;
  readonly schema: InputName;
  /** False where no body at all is as good as an empty one. */
  readonly isRequired: boolean;
  readonly example: Json;
}

/** What an operation answers when all is well. */
export interface Success {
  readonly status: 200 | 201;
  readonly description: string;
  readonly headers?: readonly HeaderName[];
  /** What of the answer a next request needs: the operation, and its path's parameters as runtime expressions. */
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

/** A route as its reader sees it; what all routes have in common is added by the document. */
export interface Operation {
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
  /** What can go wrong here, made as the routes make it: status, code and sentence come from there. */
  readonly errors: readonly ApiError[];
  /** Answers of another kind than success and problem, by status, as the document writes them. */
  readonly otherAnswers?: Json;
  /** Not counted against the client's rate. */
  readonly isUnlimited?: true;
}
