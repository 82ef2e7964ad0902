import type { Body, Method, Route } from "../route.ts";
import { routes } from "../routes.ts";
import { headers } from "./headers.ts";
import { parametersOf, sharedParameters } from "./parameters.ts";
import { otherwise, responsesOf } from "./responses.ts";
import { componentSchemas, schemaRef } from "./schemas.ts";
import type { Json } from "./schemas.ts";
import { SharedResponses } from "./share.ts";

/** The document, as far as its parts are read again. */
export interface ApiDocument {
  readonly openapi: string;
  readonly info: Json & { readonly title: string; readonly description: string };
  readonly servers: readonly { readonly url: string; readonly description: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Partial<Record<Method, DescribedOperation>>>>>;
  readonly security: readonly Json[];
  readonly components: Readonly<Record<string, Json>>;
}

export interface DescribedOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters: readonly Json[];
  readonly requestBody?: Json;
  readonly responses: Json;
}

const tags: ApiDocument["tags"] = [
  {
    name: "Applications",
    description: "Who owns chats. An application's token is the key to all that is its own.",
  },
  { name: "Chats", description: "Numbered from 1 within their application." },
  { name: "Messages", description: "Numbered from 1 within their chat." },
  { name: "Service", description: "Probes, metrics and this description." },
];

const description = `Numbers, keeps and answers a chat or a message at once, and writes it to the database in a batch
soon after. What was accepted can be read, changed and deleted from that moment on.

- Every address is served under \`/api/v1\` and, the same, without a prefix.
- Bodies are JSON in UTF-8; a resource's fields may stand bare or in an object under its name.
- Every \`GET\` answers \`HEAD\` too, every address \`OPTIONS\`.
- Errors are RFC 9457 problems. \`code\` is the member to go by; the sentences are for people.
- Requests are limited for each client address (100 a minute unless set otherwise), probes and metrics are not.
- An answer of 503 with the code \`buffer_full\` was refused: nothing of it was kept. After any other 503, or no
  answer at all, the request may have been carried out: repeat a POST with its \`Idempotency-Key\`.`;

/** The OpenAPI 3.1 description of the API, made of its routes, and of the schemas and errors that they use. */
export function describeApi(): ApiDocument {
  const shared = new SharedResponses();
  return {
    openapi: "3.1.0",
    info: {
      title: "Sluice",
      version: "1.0.0",
      summary: "A write-behind chat API.",
      description,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [
      { url: "/api/v1", description: "With the prefix" },
      { url: "/", description: "Without it" },
    ],
    // Nothing asks for credentials: who has an application's token has the application.
    security: [],
    tags,
    paths: pathsOf(shared),
    components: {
      schemas: componentSchemas(),
      responses: { Otherwise: otherwise, ...shared.all },
      parameters: sharedParameters,
      headers,
    },
  };
}

function pathsOf(shared: SharedResponses): ApiDocument["paths"] {
  const paths: Record<string, Partial<Record<Method, DescribedOperation>>> = {};
  for (const route of routes) (paths[templateIn(route.path)] ??= {})[route.method] = describe(route, shared);
  return paths;
}

/** A path as OpenAPI writes it: `/applications/{token}`. */
const templateIn = (path: string) => path.replace(/:(\w+)/g, "{$1}");

function describe(route: Route, shared: SharedResponses): DescribedOperation {
  const { id, tag, summary, description, body } = route;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    parameters: parametersOf(route),
    ...(body && { requestBody: requestBodyOf(body) }),
    responses: shared.share(responsesOf(route)),
  };
}

function requestBodyOf({ wrapper, schema, isRequired, example }: Body): Json {
  const bare = schemaRef(schema);
  const wrapped = {
    type: "object",
    properties: { [wrapper]: bare },
    required: [wrapper],
    title: `In an object under ${wrapper}`,
  };
  return {
    required: isRequired,
    content: {
      "application/json": {
        schema: { anyOf: [wrapped, bare] },
        examples: { wrapped: { value: { [wrapper]: example } }, bare: { value: example } },
      },
    },
  };
}
