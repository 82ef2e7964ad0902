import { z } from "zod";
import { invalidBody, invalidFields } from "../errors.ts";
import type { Kind } from "../records/fields.ts";
import type { Fields } from "../records/records.ts";
import type { RouteContext } from "./context.ts";
import { withoutFields } from "./resources/content.ts";

type Members = Readonly<Record<string, unknown>>;

/**
 * The members of a body, sent bare or inside `wrapper`: `{"name": …}` and `{"application": {"name": …}}`
 * are the same. No body at all has no members.
 *
 * @throws {ApiError} `invalidBody` where a list or a plain value stands in place of the object
 */
export function unwrap(body: unknown, wrapper: string): Members {
  if (body === undefined) return {};
  const outer = asObject(body, "it must be a JSON object");
  const inner = outer[wrapper];
  return inner === undefined || inner === null ? outer : asObject(inner, `${wrapper} must be an object`);
}

/** @throws {ApiError} `invalidFields` with every sentence about every field */
export function parseFields<T extends z.ZodObject>(schema: T, members: Members): z.infer<T> {
  const parsed = schema.safeParse(members);
  if (!parsed.success) throw invalidFields(sentencesByField(parsed.error));
  return parsed.data;
}

/** The fields that a change names. One that is sent by PUT is all of the record: what it leaves out is removed. */
export function replacing({ method }: RouteContext, kind: Kind, named: Fields): Fields {
  return method === "PUT" ? { ...withoutFields(kind), ...named } : named;
}

function sentencesByField(error: z.ZodError): Record<string, string[]> {
  const fields: Record<string, string[]> = {};
  for (const issue of error.issues) (fields[issue.path.join(".")] ??= []).push(issue.message);
  return fields;
}

function asObject(value: unknown, complaint: string): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalidBody(complaint);
  return value as Members;
}
