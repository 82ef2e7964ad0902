import type { ApiDocument, DescribedOperation } from "./document.ts";
import type { Json } from "./schemas.ts";

/** A request of the document, with where it stands in it. */
interface Described {
  readonly method: string;
  readonly path: string;
  readonly operation: DescribedOperation;
}

/** Collection variables for the parameters of paths; any other parameter stands with its example. */
const variables = new Map([
  ["token", "application_token"],
  ["number", "chat_number"],
  ["message_number", "message_number"],
]);

const removals = "Deletions";
const defaultAddress = "http://127.0.0.1:3000";

/**
 * The document as a Postman collection that can be run from top to bottom: a request that makes something
 * keeps its token or number for those after it, as the document's links have it, and what deletes comes
 * last, the innermost first.
 */
export function collectionOf(document: ApiDocument): Json {
  const prefix = document.servers[0]?.url ?? "";
  const requests = requestsOf(document);
  const deletions = requests.filter(({ method }) => method === "delete").reverse();
  const folders = document.tags.map(({ name, description }) => ({
    name,
    description,
    item: requests
      .filter(({ method, operation }) => method !== "delete" && operation.tags.includes(name))
      .map((request) => itemOf(request, prefix)),
  }));
  return {
    info: {
      name: document.info.title,
      description: document.info.description,
      schema: "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
    },
    item: [
      ...folders,
      {
        name: removals,
        description: "Last, so that the rest can be run in order.",
        item: deletions.map((request) => itemOf(request, prefix)),
      },
    ],
    variable: [
      { key: "base_url", value: defaultAddress },
      ...[...variables.values()].map((key) => ({ key, value: "" })),
    ],
  };
}

/** The environment that goes with the collection: where the API is. */
export const environmentOf = (document: ApiDocument): Json => ({
  name: `${document.info.title}, local`,
  values: [{ key: "base_url", value: defaultAddress, type: "default", enabled: true }],
  _postman_variable_scope: "environment",
});

function requestsOf({ paths }: ApiDocument): readonly Described[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ method, path, operation })),
  );
}

function itemOf(request: Described, prefix: string): Json {
  const { method, path, operation } = request;
  const body = exampleBody(operation);
  return {
    name: operation.summary,
    event: [{ listen: "test", script: { type: "text/javascript", exec: testOf(operation) } }],
    request: {
      method: method.toUpperCase(),
      ...(operation.description !== undefined && { description: operation.description }),
      header: body === undefined ? [] : [{ key: "Content-Type", value: "application/json" }],
      url: urlOf(prefix + path, operation),
      ...(body !== undefined && {
        body: {
          mode: "raw",
          raw: JSON.stringify(body, undefined, 2),
          options: { raw: { language: "json" } },
        },
      }),
    },
    response: [],
  };
}

function urlOf(path: string, operation: DescribedOperation): Json {
  const examples = new Map(operation.parameters.map(({ name, example }) => [String(name), String(example)]));
  const filled = path.replace(/\{(\w+)\}/g, (_whole, name: string) => {
    const variable = variables.get(name);
    return variable === undefined ? (examples.get(name) ?? "") : `{{${variable}}}`;
  });
  const query = operation.parameters.filter((parameter) => parameter["in"] === "query").map(queryItem);
  const sent = query.filter(({ disabled }) => !disabled).map(({ key, value }) => `${key}=${value}`);
  return {
    raw: `{{base_url}}${filled}${sent.length > 0 ? `?${sent.join("&")}` : ""}`,
    host: ["{{base_url}}"],
    path: filled.split("/").slice(1),
    ...(query.length > 0 && { query }),
  };
}

/** Sent where the document has an example of it; any other is there to be switched on: not all go together. */
function queryItem({ name, description, schema }: Json) {
  const {
    examples = [],
    default: usual,
    minimum,
  } = schema as {
    examples?: readonly string[];
    default?: string | number;
    minimum?: number;
  };
  const [example] = examples;
  const value = String(example ?? usual ?? minimum ?? "");
  return { key: String(name), value, description, disabled: example === undefined };
}

function exampleBody({ requestBody }: DescribedOperation): unknown {
  const body = requestBody as
    { content: Record<string, { examples: Record<string, { value: unknown }> }> } | undefined;
  return body?.content["application/json"]?.examples["wrapped"]?.value;
}

interface DescribedSuccess {
  readonly links?: Readonly<Record<string, { readonly parameters: Readonly<Record<string, string>> }>>;
}

/** Checks the status, and keeps what the next requests are to be sent with. */
function testOf({ responses }: DescribedOperation): readonly string[] {
  const [status = "200", success] = Object.entries(responses)[0] ?? [];
  const links = Object.values((success as DescribedSuccess | undefined)?.links ?? {});
  const kept = links.flatMap(({ parameters }) =>
    Object.entries(parameters).flatMap(([name, expression]) => {
      const [source, member] = expression.split("#/");
      const variable = variables.get(name);
      if (source !== "$response.body" || member === undefined || variable === undefined) return [];
      return [`pm.collectionVariables.set("${variable}", pm.response.json().${member});`];
    }),
  );
  return [`pm.test("answers ${status}", () => {`, `  pm.response.to.have.status(${status});`, "});", ...kept];
}
