import type { ApiRouter, RouteContext } from "../context.ts";
import { at } from "../paths.ts";
import { live, presentReadiness } from "../resources/health.ts";
import type { Services } from "../services.ts";

const prometheusText = "text/plain; version=0.0.4; charset=utf-8";

/** Adds the probes and the metrics. */
export function routeHealth(router: ApiRouter, services: Services): void {
  const answerReadiness = async (ctx: RouteContext) => {
    const readiness = presentReadiness(await services.readiness(ctx.query["verbose"] !== undefined));
    ctx.status = readiness.status === "ready" ? 200 : 503;
    ctx.body = readiness;
  };

  // Looks at nothing: a process that answers lives, and a restart would not mend what it depends on.
  router.get(at("/livez"), (ctx) => {
    ctx.body = live;
  });
  router.get(at("/readyz"), answerReadiness);
  router.get(at("/healthz"), answerReadiness);

  router.get(at("/metrics"), async (ctx) => {
    ctx.set("Content-Type", prometheusText);
    ctx.body = await services.metrics();
  });
}
