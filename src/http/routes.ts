import { pathMatcher } from "./paths.ts";
import type { Route } from "./route.ts";
import { applicationRoutes } from "./routes/applications.ts";
import { chatRoutes } from "./routes/chats.ts";
import { docsRoutes } from "./routes/docs.ts";
import { healthRoutes } from "./routes/health.ts";
import { messageRoutes } from "./routes/messages.ts";

/** Every route of the API, in the order a reader would try them. Of two that match a path, the first answers. */
export const routes: readonly Route[] = [
  ...applicationRoutes,
  ...chatRoutes,
  ...messageRoutes,
  ...healthRoutes,
  ...docsRoutes,
];

/** Whether a path, with or without the prefix, is that of a probe or a scrape. */
export const isProbe = pathMatcher(routes.filter((route) => route.isProbe).map(({ path }) => path));
