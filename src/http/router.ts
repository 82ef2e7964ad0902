import Router from "@koa/router";
import type { ApiRouter, State } from "./context.ts";
import { routeApplications } from "./routes/applications.ts";
import { routeChats } from "./routes/chats.ts";
import { routeDocs } from "./routes/docs.ts";
import { routeHealth } from "./routes/health.ts";
import { routeMessages } from "./routes/messages.ts";
import { routeSearch } from "./routes/search.ts";
import type { Services } from "./services.ts";

/** Every route of the API; the busiest stand first. */
export function createRouter(services: Services, messageMaxBytes: number): ApiRouter {
  const router = new Router<State>();
  routeSearch(router, services.search);
  routeMessages(router, services, messageMaxBytes);
  routeChats(router, services);
  routeApplications(router, services);
  routeHealth(router, services);
  routeDocs(router);
  return router;
}
