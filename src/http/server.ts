import { createServer } from "node:http";
import type { Server } from "node:http";
import type Koa from "koa";
import type { State } from "./context.ts";
import { refuseMalformed, refuseWithoutHost } from "./malformed.ts";

/** How long a client may take, in milliseconds. */
export interface Patience {
  /** For a request's headers. */
  readonly headersMs: number;
  /** For a whole request, its body included: a slow upload is cut off here with a 408. */
  readonly requestMs: number;
  /** Between two requests; longer than a proxy's own (60 s as a rule), so that it is not the API that hangs up first. */
  readonly idleMs: number;
  /** Between two looks at who is late. */
  readonly checkEveryMs: number;
}

const defaultPatience: Patience = {
  headersMs: 15_000,
  requestMs: 30_000,
  idleMs: 65_000,
  checkEveryMs: 5_000,
};

/** Makes the HTTP server of the API, not yet listening. */
export function createHttpServer(app: Koa<State>, patience: Patience = defaultPatience): Server {
  const answer = app.callback();
  const server = createServer(
    {
      // It is refused here, in the form of all other errors.
      requireHostHeader: false,
      headersTimeout: patience.headersMs,
      requestTimeout: patience.requestMs,
      keepAliveTimeout: patience.idleMs,
      connectionsCheckingInterval: patience.checkEveryMs,
    },
    // Koa answers every failure of a request itself; its promise says only when.
    (request, response) => {
      if (!refuseWithoutHost(request, response)) void answer(request, response);
    },
  );
  refuseMalformed(server);
  return server;
}
