import { methodNotAllowed, routeNotFound } from "../../errors.ts";
import type { ApiMiddleware, RouteContext } from "../context.ts";

/** Stands behind the routes: what reaches it has no route, or one that does not take its method. */
export function answerUnrouted(): ApiMiddleware {
  return (ctx) => {
    const { matched = [] } = ctx as RouteContext;
    if (matched.length === 0) throw routeNotFound();
    const methods = new Set([...matched.flatMap((layer) => layer.methods), "OPTIONS"]);
    ctx.set("Allow", [...methods].join(", "));
    if (ctx.method !== "OPTIONS") throw methodNotAllowed();
    ctx.status = 204;
  };
}
