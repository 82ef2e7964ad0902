import Router from "@koa/router";
import type { ApiRouter, RouteContext, State } from "./context.ts";
import { readJson } from "./middleware/json-body.ts";
import { describeApi } from "./openapi/document.ts";
import { at } from "./paths.ts";
import type { Api } from "./route.ts";
import { routes } from "./routes.ts";
import type { Services } from "./services.ts";

/** Every route of the API, with what reads its body before it. */
export function createRouter(services: Services, messageMaxBytes: number): ApiRouter {
  const router = new Router<State>();
  const api: Api = { ...services, messageMaxBytes, description: JSON.stringify(describeApi()) };
  for (const { method, path, body, handle } of routes) {
    const read = body ? [readJson(body.maxBytes(messageMaxBytes))] : [];
    router[method](at(path), ...read, (ctx: RouteContext) => handle(ctx, api));
  }
  return router;
}
