import { methodNotAllowed, routeNotFound } from "../../errors.ts";
import type { ApiMiddleware, RouteContext } from "../context.ts";

/** Stands behind the routes: what reaches it has no route, or one that does not take its method. */
export function answerUnrouted(): ApiMiddleware {
  return (ctx) => {
    const { matched = [] } = ctx as RouteContext;
    // What stands before a group of routes matches too, and takes no method.
    const routes = matched.filter((layer) => layer.methods.length > 0);
    if (routes.length === 0) throw routeNotFound();
    const methods = new Set([...routes.flatMap((layer) => layer.methods), "OPTIONS"]);
    ctx.set("Allow", [...methods].join(", "));
    if (ctx.method !== "OPTIONS") throw methodNotAllowed();
    ctx.status = 204;
  };
}
