import { ApiError, internalError } from "../../errors.ts";
import type { Logger } from "../../telemetry.ts";
import { reportRefusals } from "../database-refusals.ts";
import type { ApiContext, ApiMiddleware } from "../context.ts";
import { templateOf } from "../paths.ts";
import { problemOf } from "../problem.ts";
import { ClientGoneError } from "./client-gone.ts";

/** Not a registered status: what proxies log for a client that did not wait. It is never sent. */
const clientGoneStatus = 499;

/** Answers what the routes throw. Only an error nobody foresaw is logged as one, and told to nobody. */
export function mapErrors(logger: Logger): ApiMiddleware {
  const report = reportRefusals(logger);
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      if (error instanceof ClientGoneError) abandon(ctx);
      else if (error instanceof ApiError) {
        if (error.cause !== undefined) report(error.cause);
        answer(ctx, error);
      } else {
        logger.error(
          { err: error, requestId: ctx.state.requestId, route: templateOf(ctx) },
          "request failed",
        );
        answer(ctx, internalError());
      }
    }
  };
}

function answer(ctx: ApiContext, error: ApiError): void {
  ctx.status = error.status;
  ctx.set("Content-Type", "application/problem+json");
  if (error.retryAfterSeconds !== undefined)
    ctx.set("Retry-After", String(Math.ceil(error.retryAfterSeconds)));
  ctx.body = JSON.stringify(problemOf(error, ctx.state.requestId));
}

function abandon(ctx: ApiContext): void {
  ctx.respond = false;
  ctx.res.statusCode = clientGoneStatus;
  ctx.res.destroy();
}
