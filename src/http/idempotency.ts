import { createHash } from "node:crypto";
import { invalidIdempotencyKey } from "../errors.ts";
import { type Content, noFields } from "../records/records.ts";
import type { RouteContext } from "./context.ts";
import { templateOf } from "./paths.ts";
import type { Idempotency } from "./services.ts";

/** Between its quotes a structured-field string has only these; a backslash goes before a quote or itself. */
const quoted = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/;
const keyPattern = /^[ -~]{1,255}$/;

/**
 * The idempotency of a POST, where its client asked for one. The key may be quoted, as the RFC 8941 string
 * that the header's draft wants, or bare, as most clients send it: both are the same key. `meaning` is all
 * of the request that its answer depends on, once parsed, so that white space or a wrapper make no other
 * request of it.
 *
 * @throws {ApiError} `invalidIdempotencyKey`
 */
export function idempotencyOf(ctx: RouteContext, ...meaning: readonly unknown[]): Idempotency | undefined {
  if (ctx.req.headers["idempotency-key"] === undefined) return undefined;
  const given = ctx.req.headersDistinct["idempotency-key"] ?? [];
  const key = given.length === 1 ? unquote(given[0] ?? "") : "";
  if (!keyPattern.test(key)) throw invalidIdempotencyKey();
  return { key, fingerprint: digest([ctx.method, templateOf(ctx), ...meaning]) };
}

/** What of a chat or message its answer depends on. */
export function meaningOf({ text, fields }: Content): readonly unknown[] {
  return fields === noFields ? [text] : [text, fields];
}

/** Says that an answer is an earlier one come again. */
export function markReplayed(ctx: RouteContext, { isReplayed }: { readonly isReplayed: boolean }): void {
  if (isReplayed) ctx.set("Idempotency-Replayed", "true");
}

/** A text that begins like a quoted one and does not end so has no key in it. */
function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  return quoted.exec(text)?.[1]?.replace(/\\(["\\])/g, "$1") ?? "";
}

const digest = (parts: readonly unknown[]) =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex");
