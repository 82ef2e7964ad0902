import { everyAnswer, headerRefs } from "../openapi/headers.ts";
import { schemaRef } from "../openapi/schemas.ts";
import { live, presentReadiness, readinessQuery } from "../resources/health.ts";
import type { Route } from "../route.ts";

const tag = "Service";
const prometheusText = "text/plain; version=0.0.4; charset=utf-8";

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
  isProbe: true,
  handle: async (ctx, api) => {
    const found = presentReadiness(await api.readiness(ctx.query["verbose"] !== undefined));
    ctx.status = found.status === "ready" ? 200 : 503;
    ctx.body = found;
  },
} satisfies Partial<Route>;

/** The probes and the metrics. */
export const healthRoutes: readonly Route[] = [
  {
    method: "get",
    path: "/livez",
    id: "getLiveness",
    tag,
    summary: "Tell whether the process lives",
    description: "Looks at nothing it depends on.",
    success: { status: 200, description: "It does.", content: { schema: "Liveness", examples: { live } } },
    errors: [],
    isProbe: true,
    // A process that answers lives, and a restart would not mend what it depends on.
    handle: (ctx) => {
      ctx.body = live;
    },
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
    isProbe: true,
    handle: async (ctx, api) => {
      ctx.set("Content-Type", prometheusText);
      ctx.body = await api.metrics();
    },
  },
];
