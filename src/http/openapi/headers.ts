import type { Json } from "./schemas.ts";

const whole = (description: string, example: number) => ({
  description,
  schema: { type: "integer", minimum: 0 },
  example,
});

const text = (description: string, example: string, pattern?: string) => ({
  description,
  schema: { type: "string", ...(pattern !== undefined && { pattern }) },
  example,
});

/** `components.headers` of the document. */
export const headers = {
  "X-Request-Id": {
    ...text(
      "The request's id: its own where it brought one, else a new one.",
      "b3f1c9a2",
      "^[\\w.:-]{1,128}$",
    ),
    required: true,
  },
  "RateLimit-Policy": text(
    "The limit: `q` requests in `w` seconds for each client address. Absent where no limit is set.",
    '"ip";q=100;w=60',
    '^"ip";q=\\d+;w=\\d+$',
  ),
  RateLimit: text(
    "`r` requests are left for the next `t` seconds.",
    '"ip";r=99;t=60',
    '^"ip";r=\\d+;t=\\d+$',
  ),
  "X-RateLimit-Limit": whole("The limit, for older clients.", 100),
  "X-RateLimit-Remaining": whole("Requests left, for older clients.", 99),
  "X-RateLimit-Reset": whole(
    "When the count begins anew, in seconds since 1970, for older clients.",
    1767323105,
  ),
  "Retry-After": { ...whole("Seconds after which a retry may succeed.", 5), required: true },
  Link: text(
    "RFC 8288 links to the pages beside this one: `first`, `prev` and `next`, as far as there are such.",
    '</applications?page=2&per_page=10>; rel="next"',
  ),
  Location: {
    ...text("The address of what was made.", "/applications/Kq3vT7ZP0bWm2sXcYd9uRA"),
    required: true,
  },
  Allow: text("The methods this address has.", "GET, HEAD, OPTIONS"),
  "Accept-Encoding": text("`identity`, where the body was refused for being compressed.", "identity"),
  "Idempotency-Replayed": {
    description: "Present where this is the answer to an earlier request with the same key, come again.",
    schema: { const: "true" },
    example: "true",
  },
  ETag: text("Stands for this version of the file.", '"5d41402abc4b2a76"'),
} as const satisfies Readonly<Record<string, Json>>;

export type HeaderName = keyof typeof headers;

/** What every answer may carry beside what it is there for. */
export const everyAnswer: readonly HeaderName[] = ["X-Request-Id"];

/** What an answer carries while a rate limit is set. */
export const limitedAnswer: readonly HeaderName[] = [
  "RateLimit-Policy",
  "RateLimit",
  "X-RateLimit-Limit",
  "X-RateLimit-Remaining",
  "X-RateLimit-Reset",
];

/** References to headers, by name, as an answer has them. */
export const headerRefs = (names: readonly HeaderName[]): Json =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
