import type { Router } from "@koa/router";

import { type OpsState, operatorOf } from "../context.ts";
import { liveView } from "../live-view.ts";
import type { OpsServices } from "../services.ts";
import { presentOverview } from "../overview.ts";
import { chartPoints, historyPage, rangeOf } from "../pages/history.ts";
import { overviewPage } from "../pages/overview.ts";
import { answerPage, guarded, queryOf, viewerOf } from "./guarded.ts";

/** Adds the first page, the history, and the same numbers for programs. */
export function routeNumbers(router: Router<OpsState>, services: OpsServices): void {
  const { buffer, feed, overview } = services;

  router.get(
    "/ops",
    guarded(services, async (ctx) => {
      const seen = await overview();
      answerPage(ctx, overviewPage(viewerOf(ctx, services), seen, liveView(seen)));
    }),
  );

  router.get(
    "/ops/status",
    guarded(services, async (ctx) => {
      ctx.body = presentOverview(await overview());
    }),
  );

  router.get(
    "/ops/events",
    guarded(services, (ctx) => {
      const operator = operatorOf(ctx);
      feed.makeRoom(operator);
      ctx.status = 200;
      ctx.respond = false;
      if (ctx.method === "HEAD") ctx.res.end();
      else feed.add(ctx.res, operator);
    }),
  );

  router.get(
    "/ops/history",
    guarded(services, async (ctx) => {
      const range = rangeOf(queryOf(ctx));
      answerPage(ctx, historyPage(viewerOf(ctx, services), range, await buffer.history.read(range)));
    }),
  );

  router.get(
    "/ops/history.json",
    guarded(services, async (ctx) => {
      const points = chartPoints(await buffer.history.read(rangeOf(queryOf(ctx))));
      ctx.body = {
        times: points.map(({ atMs }) => Math.round(atMs / 1000)),
        acceptedPerSecond: points.map((point) => point.acceptedPerSecond),
        flushedPerSecond: points.map((point) => point.flushedPerSecond),
        pending: points.map((point) => point.pending),
        pendingBytes: points.map((point) => point.pendingBytes),
        oldestAgeSeconds: points.map((point) => point.oldestAgeMs / 1000),
        deadLetters: points.map((point) => point.deadLetters),
      };
    }),
  );
}
