import { tokenPattern } from "../params.ts";
import type { Route } from "../route.ts";
import { exampleToken } from "./examples.ts";
import { parameterSchemas } from "./schemas.ts";
import type { Json } from "./schemas.ts";

const number = (description: string): Json => ({
  description: `${description} Anything else than a whole number from 1 is answered with 404.`,
  schema: { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
  example: 1,
});

const inPath: Readonly<Record<string, Json>> = {
  token: {
    description: "The application's token.",
    schema: { type: "string", pattern: tokenPattern.source },
    example: exampleToken,
  },
  number: number("The chat's number within its application."),
  message_number: number("The message's number within its chat."),
  asset: {
    description: "A file of the page.",
    schema: { type: "string" },
    example: "swagger-ui.css",
  },
};

const names = {
  XRequestId: {
    name: "X-Request-Id",
    in: "header",
    description:
      "An id for the request, taken over into the answer and the log. One that does not fit the pattern is " +
      "replaced by a new one.",
    schema: { type: "string", pattern: "^[\\w.:-]{1,128}$" },
  },
  IdempotencyKey: {
    name: "Idempotency-Key",
    in: "header",
    description:
      "A word of the client's own, say `order-17`, bare or as a quoted RFC 8941 string. The same request under the same key is " +
      "done once within 24 hours: the first answer comes again, with `Idempotency-Replayed`.",
    schema: { type: "string", minLength: 1, maxLength: 512 },
  },
} as const satisfies Readonly<Record<string, Json>>;

/** `components.parameters` of the document. */
export const sharedParameters: Json = names;

const refTo = (name: keyof typeof names): Json => ({ $ref: `#/components/parameters/${name}` });

/** The names of a path's parameters, in order. */
export const parametersIn = (path: string): readonly string[] =>
  [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => name);

/** Everything a route reads beside its body. */
export function parametersOf({ path, query, takesIdempotencyKey }: Route): readonly Json[] {
  const inQuery = query ? Object.entries(parameterSchemas(query)) : [];
  return [
    ...parametersIn(path).map((name) => ({ name, in: "path", required: true, ...inPath[name] })),
    ...inQuery.map(([name, { description, ...schema }]) => ({ name, in: "query", description, schema })),
    ...(takesIdempotencyKey ? [refTo("IdempotencyKey")] : []),
    refTo("XRequestId"),
  ];
}
