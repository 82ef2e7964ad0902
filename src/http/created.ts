import type { RouteContext } from "./context.ts";
import { addressOf } from "./paths.ts";

/** Answers a POST with what it made, and where that is. */
export function sendCreated(ctx: RouteContext, address: string, view: object): void {
  ctx.status = 201;
  ctx.res.setHeader("Location", addressOf(ctx.path, address));
  // Told what it is given, Koa need not find it out.
  ctx.res.setHeader("Content-Type", "application/json; charset=utf-8");
  ctx.body = JSON.stringify(view);
}
