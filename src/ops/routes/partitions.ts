import type { Router } from "@koa/router";

import type { OpsState } from "../context.ts";
import { liveView } from "../live-view.ts";
import { type NoticeName, noticeOf, withNotice } from "../notices.ts";
import type { OpsServices } from "../services.ts";
import { partitionsPage } from "../pages/partitions.ts";
import { wholeNumber } from "../parameters.ts";
import { Refusal } from "../refusal.ts";
import { answerPage, guarded, guardedForm, queryOf, seeOther, viewerOf } from "./guarded.ts";

const formMaxBytes = 8 * 1024;

/** Adds the partitions: flush, pause, resume. */
export function routePartitions(router: Router<OpsState>, services: OpsServices): void {
  const { buffer, actions, overview } = services;

  router.get(
    "/ops/partitions",
    guarded(services, async (ctx) => {
      const seen = await overview();
      const query = queryOf(ctx);
      const parts = { pageNumber: wholeNumber(query, "page", 1, 1), notice: noticeOf(query) };
      answerPage(ctx, partitionsPage(viewerOf(ctx, services), seen, liveView(seen), parts));
    }),
  );

  router.post(
    "/ops/partitions",
    guardedForm(services, formMaxBytes, async (ctx, form, operator) => {
      const act = form.get("act");
      const all = Array.from({ length: buffer.partitions }, (_, partition) => partition);
      const done = (name: NoticeName, count: number) => {
        seeOther(ctx, withNotice("/ops/partitions", name, count));
      };
      if (act === "flush-all") {
        await actions.flush(operator, all);
        done("flushing", all.length);
        return;
      }
      const partition = all.find((one) => String(one) === form.get("partition"));
      if (partition === undefined) throw new Refusal(422, "There is no such partition.", "Look at the list.");
      if (act === "flush") {
        await actions.flush(operator, [partition]);
        done("flushing", 1);
      } else if (act === "pause") {
        await actions.pause(operator, partition);
        done("paused", partition);
      } else if (act === "resume") {
        await actions.resume(operator, partition);
        done("resumed", partition);
      } else throw new Refusal(422, "There is no such act.", "Use the buttons of the page.");
    }),
  );
}
