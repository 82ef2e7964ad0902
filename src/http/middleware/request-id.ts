import { randomUUID } from "node:crypto";
import type { ApiMiddleware } from "../context.ts";

/** A stranger's id goes into logs and headers: letters, digits and a few marks, and not many of them. */
const acceptable = /^[\w.:-]{1,128}$/;

/** Gives each request an id, its own where it brought a usable one, and says it in the answer. */
export function assignRequestId(): ApiMiddleware {
  return (ctx, next) => {
    const offered = ctx.req.headers["x-request-id"];
    ctx.state.requestId = typeof offered === "string" && acceptable.test(offered) ? offered : randomUUID();
    ctx.res.setHeader("X-Request-Id", ctx.state.requestId);
    return next();
  };
}
