import type { RouterContext } from "@koa/router";

import type { Operator } from "./access/operator.ts";

/** What is known of a request under `/ops`; the id is given by the API, which answers it. */
export interface OpsState {
  requestId: string;
  operator?: Operator;
}

export type OpsContext = RouterContext<OpsState>;

/** Who sent the request. @throws where nobody looked, which is a defect of the routes */
export function operatorOf(ctx: OpsContext): Operator {
  const { operator } = ctx.state;
  if (!operator) throw new Error("a route of the dashboard stands before its guard");
  return operator;
}
