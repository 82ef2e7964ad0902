import type { Router, RouterContext } from "@koa/router";
import type { Middleware } from "koa";

/** What the middleware keeps about a request while it is answered. */
export interface State {
  requestId: string;
}

export type ApiMiddleware = Middleware<State>;
export type ApiContext = Parameters<ApiMiddleware>[0];
export type ApiRouter = Router<State>;
export type RouteContext = RouterContext<State>;
