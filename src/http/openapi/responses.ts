import type { ApiError } from "../../errors.ts";
import {
  bodyTooLarge,
  chunkExtensionsTooLarge,
  expectationFailed,
  headersTooLarge,
  idempotencyKeyReused,
  internalError,
  invalidBody,
  invalidIdempotencyKey,
  malformedRequest,
  methodNotAllowed,
  requestTimedOut,
  routeNotFound,
  tooManyRequests,
  unsupportedCharset,
  unsupportedEncoding,
  unsupportedMediaType,
} from "../../errors.ts";
import { problemOf } from "../problem.ts";
import type { JsonContent, Route, TextContent } from "../route.ts";
import type { HeaderName } from "./headers.ts";
import { everyAnswer, headerRefs, limitedAnswer } from "./headers.ts";
import { exampleRequestId } from "./examples.ts";
import { schemaRef } from "./schemas.ts";
import type { Json } from "./schemas.ts";

/** What any address may be answered with beside what is described there. */
export const otherwise: Json = {
  ...problemResponse(
    [
      routeNotFound(),
      methodNotAllowed(),
      internalError(),
      malformedRequest(),
      requestTimedOut(),
      expectationFailed(),
      headersTooLarge(),
    ],
    [...limitedAnswer, "Allow"],
  ),
  description:
    "Any other error, in the same form. An address that is not in this description is answered with 404, " +
    "a method that an address does not have with 405 and `Allow`.",
};

/** All that a route may answer, by status. */
export function responsesOf(route: Route): Json {
  const { success } = route;
  const shared = route.isProbe ? [] : limitedAnswer;
  const headers = [...everyAnswer, ...shared, ...(success.headers ?? []), ...replayed(route)];
  return {
    [success.status]: {
      description: success.description,
      headers: headerRefs(headers),
      content: contentOf(success.content),
      ...(success.next && {
        links: { [success.next.id]: { operationId: success.next.id, parameters: success.next.parameters } },
      }),
    },
    ...Object.fromEntries(
      [...byStatus(errorsOf(route))].map(([status, errors]) => [status, problemResponse(errors, shared)]),
    ),
    ...route.otherAnswers,
    default: { $ref: "#/components/responses/Otherwise" },
  };
}

const replayed = (route: Route): readonly HeaderName[] =>
  route.takesIdempotencyKey ? ["Idempotency-Replayed"] : [];

/** What a route says can go wrong, and what can go wrong wherever something like it is done. */
function errorsOf(route: Route): readonly ApiError[] {
  const errors = [...route.errors];
  if (route.body)
    errors.push(
      invalidBody("it is not a well-formed JSON object"),
      bodyTooLarge(409_600),
      unsupportedMediaType(),
      unsupportedCharset(),
      unsupportedEncoding(),
      malformedRequest(),
      chunkExtensionsTooLarge(),
    );
  if (route.takesIdempotencyKey) errors.push(invalidIdempotencyKey(), idempotencyKeyReused());
  if (!route.isProbe) errors.push(tooManyRequests(42));
  return errors;
}

function byStatus(errors: readonly ApiError[]): ReadonlyMap<number, readonly ApiError[]> {
  const groups = new Map<number, ApiError[]>();
  for (const error of errors) groups.set(error.status, [...(groups.get(error.status) ?? []), error]);
  return new Map([...groups].sort(([a], [b]) => a - b));
}

/** One answer for all errors of a status, with an example of each. */
function problemResponse(errors: readonly ApiError[], shared: readonly HeaderName[]): Json {
  const names = new Set<HeaderName>([...everyAnswer, ...shared]);
  for (const error of errors) {
    if (error.retryAfterSeconds !== undefined) names.add("Retry-After");
    if (error.status === 415) names.add("Accept-Encoding");
  }
  return {
    description: errors.map(({ code, message }) => `\`${code}\`: ${message}.`).join("\n\n"),
    headers: headerRefs([...names]),
    content: {
      "application/problem+json": { schema: schemaRef("Problem"), examples: problemExamples(errors) },
    },
  };
}

/** By its code; a second sentence of a code is another example. */
function problemExamples(errors: readonly ApiError[]): Json {
  const examples: Record<string, Json> = {};
  for (const error of errors) {
    const name = error.code in examples ? `${error.code}_${Object.keys(examples).length + 1}` : error.code;
    examples[name] = { value: problemOf(error, exampleRequestId) };
  }
  return examples;
}

function contentOf(content: JsonContent | TextContent): Json {
  if ("inline" in content)
    return Object.fromEntries(content.types.map((type) => [type, { schema: content.inline }]));
  const examples = Object.entries(content.examples).map(([name, value]) => [name, { value }] as const);
  return {
    "application/json": { schema: schemaRef(content.schema), examples: Object.fromEntries(examples) },
  };
}
