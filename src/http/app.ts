import Koa from "koa";
import type { Config } from "../config.ts";
import type { Logger, Metrics } from "../telemetry.ts";
import type { ApiMiddleware, State } from "./context.ts";
import { logAccess } from "./middleware/access-log.ts";
import { isConnectionLoss } from "./middleware/client-gone.ts";
import { mapErrors } from "./middleware/errors.ts";
import { assignRequestId } from "./middleware/request-id.ts";
import { setSecurityHeaders } from "./middleware/security-headers.ts";
import { answerUnrouted } from "./middleware/unrouted.ts";
import { createRouter } from "./router.ts";
import type { Services } from "./services.ts";

/** What the API is made of; it opens and closes none of it. */
export interface AppParts {
  readonly services: Services;
  readonly config: { readonly http: Pick<Config["http"], "trustedProxies" | "messageMaxBytes"> };
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** From `createRateLimit`; without it nothing is limited. */
  readonly rateLimit?: ApiMiddleware;
  /** The dashboard; it has limits of its own, so that an operator gets in whoever floods the API. */
  readonly ops?: ApiMiddleware;
}

/** Builds the API. It listens to nothing yet: hand it to `createHttpServer`. */
export function createApp({ services, config, logger, metrics, rateLimit, ops }: AppParts): Koa<State> {
  const { trustedProxies, messageMaxBytes } = config.http;
  const app = new Koa<State>({ proxy: trustedProxies > 0, maxIpsCount: trustedProxies });
  app.on("error", (err: Error) => {
    logger[isConnectionLoss(err) ? "debug" : "error"]({ err }, "connection failed");
  });

  app.use(assignRequestId());
  app.use(setSecurityHeaders());
  app.use(logAccess(logger, metrics));
  app.use(mapErrors(logger));
  if (ops) app.use(under(/^\/ops(\/|$)/i, ops));
  if (rateLimit) app.use(rateLimit);
  app.use(createRouter(services, messageMaxBytes).routes());
  app.use(answerUnrouted());
  return app;
}

/** Spares all other requests a look at each of its routes. */
function under(paths: RegExp, middleware: ApiMiddleware): ApiMiddleware {
  return (ctx, next) => (paths.test(ctx.path) ? middleware(ctx, next) : next()) as Promise<unknown>;
}
