import { routeNotFound } from "../../errors.ts";
import { live, presentReadiness, readinessQuery } from "../resources/health.ts";
import { everyAnswer, headerRefs } from "./headers.ts";
import type { Operation } from "./operation.ts";
import { schemaRef } from "./schemas.ts";

const tag = "Service";

const ready = presentReadiness([
  { name: "redis", ready: true, detail: "answers" },
  { name: "database", ready: true, detail: "answers" },
]);
const notReady = presentReadiness([
  { name: "redis", ready: false, detail: "does not answer" },
  { name: "database", ready: true, detail: "answers" },
]);

const readiness = {
  method: "get",
  tag,
  query: readinessQuery,
  success: {
    status: 200,
    description: "It can do its work.",
    content: { schema: "Readiness", examples: { ready } },
  },
  errors: [],
  otherAnswers: {
    503: {
      description: "It cannot: `checks` says what is wrong.",
      headers: headerRefs(everyAnswer),
      content: {
        "application/json": { schema: schemaRef("Readiness"), examples: { not_ready: { value: notReady } } },
      },
    },
  },
  isUnlimited: true,
} as const;

export const serviceOperations: readonly Operation[] = [
  {
    method: "get",
    path: "/livez",
    id: "getLiveness",
    tag,
    summary: "Tell whether the process lives",
    description: "Looks at nothing it depends on.",
    success: { status: 200, description: "It does.", content: { schema: "Liveness", examples: { live } } },
    errors: [],
    isUnlimited: true,
  },
  { path: "/readyz", id: "getReadiness", summary: "Tell whether the API can do its work", ...readiness },
  { path: "/healthz", id: "getHealth", summary: "The same, under its other name", ...readiness },
  {
    method: "get",
    path: "/metrics",
    id: "getMetrics",
    tag,
    summary: "Read the metrics",
    success: {
      status: 200,
      description: "Metrics in the text format of Prometheus.",
      content: { types: ["text/plain"], inline: { type: "string" } },
    },
    errors: [],
    isUnlimited: true,
  },
  {
    method: "get",
    path: "/openapi.json",
    id: "getDescription",
    tag,
    summary: "Read this description",
    success: {
      status: 200,
      description: "An OpenAPI 3.1 document.",
      content: { types: ["application/json"], inline: { type: "object" } },
    },
    errors: [],
  },
  {
    method: "get",
    path: "/docs",
    id: "getDocs",
    tag,
    summary: "Read and try the API in a browser",
    success: {
      status: 200,
      description: "A page that shows this description.",
      content: { types: ["text/html"], inline: { type: "string" } },
    },
    errors: [],
  },
  {
    method: "get",
    path: "/docs/:asset",
    id: "getDocsAsset",
    tag,
    summary: "Read a file of that page",
    success: {
      status: 200,
      description: "The file.",
      headers: ["ETag"],
      content: { types: ["text/css", "text/javascript", "image/png"], inline: {} },
    },
    errors: [routeNotFound()],
    otherAnswers: {
      304: { description: "The file is the one you have.", headers: headerRefs(["X-Request-Id", "ETag"]) },
    },
  },
];
