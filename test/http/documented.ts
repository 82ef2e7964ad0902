import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { expect } from "chai";
import { describeApi } from "../../src/http/openapi/document.ts";

/** An answer, and what it answers. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

type Members = Readonly<Record<string, unknown>>;

interface DescribedResponse {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, unknown>>;
}

const document = describeApi();
const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema({ $id: "openapi", ...document });

/** What HTTP, Node and the policies for browsers put on any answer. */
const unremarkable = new Set([
  "cache-control",
  "connection",
  "content-length",
  "content-security-policy",
  "content-type",
  "date",
  "keep-alive",
  "referrer-policy",
  "transfer-encoding",
  "x-content-type-options",
]);

/** Codes that any address may answer with, described or not; everything else is described where it happens. */
const otherwise = new Set([
  "route_not_found",
  "method_not_allowed",
  "internal_error",
  "malformed_request",
  "request_timeout",
  "expectation_failed",
  "headers_too_large",
]);

const unforeseen = ["components", "responses", "Otherwise"];

const routes = Object.entries(document.paths).map(([template, operations]) => ({
  template,
  operations,
  // Addresses are the same in another case and with a slash behind.
  pattern: new RegExp(`^(?:/api/v1)?${template.replace(/\{\w+\}/g, "[^/]+").replaceAll(".", "\\.")}/?$`, "i"),
}));

const hasParameters = (template: string) => template.includes("{");

/** Throws where an answer is not one that the API's description has: its status, headers and body. */
export function expectDocumented(exchange: Exchange): void {
  const { method, path, status } = exchange;
  const where = `${method} ${path} → ${status}`;
  const matching = routes
    .filter(({ pattern }) => pattern.test(path))
    .sort((a, b) => Number(hasParameters(a.template)) - Number(hasParameters(b.template)));
  if (method === "OPTIONS" && status === 204) {
    expect(exchange.headers.get("allow"), where).to.match(/\bOPTIONS$/);
    return;
  }
  const verb = method === "HEAD" ? "get" : method.toLowerCase();
  const route = matching[0];
  const operation = (route?.operations as Readonly<Record<string, { responses: Members }>> | undefined)?.[
    verb
  ];
  const pointer = follow(
    route && operation && String(status) in operation.responses
      ? ["paths", route.template, verb, "responses", String(status)]
      : unforeseen,
  );
  const described = partAt(pointer) as DescribedResponse;
  expectHeaders(exchange.headers, described, where);
  expectBody(exchange, described, pointer, where);
}

function expectBody(
  exchange: Exchange,
  described: DescribedResponse,
  pointer: string[],
  where: string,
): void {
  const [type = ""] = (exchange.headers.get("content-type") ?? "").split(";");
  if (described.content === undefined || exchange.method === "HEAD") {
    expect(exchange.text, where).to.equal("");
    return;
  }
  expect(described.content, where).to.have.property(type);
  if (!type.endsWith("json")) return;
  const body: unknown = JSON.parse(exchange.text);
  expectValid(body, [...pointer, "content", type, "schema"], where);
  if (pointer.join() === unforeseen.join())
    expect(otherwise, where).to.include((body as { code?: unknown }).code);
  if (type !== "application/problem+json") return;
  const { status, code, request_id: requestId } = body as Members;
  expect({ status, requestId }, where).to.deep.equal({
    status: exchange.status,
    requestId: exchange.headers.get("x-request-id"),
  });
  const { examples } = described.content[type] as { examples: Record<string, { value: { code: string } }> };
  expect(
    Object.values(examples).map(({ value }) => value.code),
    where,
  ).to.include(code);
}

function expectHeaders(sent: Headers, { headers = {} }: DescribedResponse, where: string): void {
  const known = new Map(Object.keys(headers).map((name) => [name.toLowerCase(), name]));
  for (const [name, value] of sent) {
    if (unremarkable.has(name)) continue;
    const described = known.get(name);
    expect(described, `${where}: the header ${name} is described`).not.to.equal(undefined);
    const pointer = ["components", "headers", described ?? "", "schema"];
    const isNumber = (partAt(pointer) as Members)["type"] === "integer";
    expectValid(isNumber ? Number(value) : value, pointer, `${where}: ${name}`);
  }
  for (const [name, described] of known) {
    const { required } = partAt(["components", "headers", described]) as Members;
    if (required === true) expect(sent.has(name), `${where}: has ${described}`).to.equal(true);
  }
}

function expectValid(value: unknown, pointer: readonly string[], where: string): void {
  const validate = ajv.getSchema(`openapi#/${pointer.map(escape).join("/")}`);
  if (!validate) throw new Error(`nothing is described at ${pointer.join("/")}`);
  expect(validate(value), `${where}: ${ajv.errorsText(validate.errors)}`).to.equal(true);
}

/** Where a part is written down: behind its reference, where that stands in its place. */
function follow(pointer: string[]): string[] {
  const { $ref } = partAt(pointer) as { $ref?: string };
  return $ref === undefined ? pointer : $ref.split("/").slice(1);
}

function partAt(pointer: readonly string[]): unknown {
  let part: unknown = document;
  for (const name of pointer) part = (part as Members)[name];
  return part;
}

const escape = (name: string) => encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"));
