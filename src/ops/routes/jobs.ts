import path from "node:path";

import type { Router } from "@koa/router";

import { Ticks } from "../../jobs/ticks.ts";
import type { OpsState } from "../context.ts";
import { noticeOf, withNotice } from "../notices.ts";
import { backupsPage } from "../pages/backups.ts";
import { isJob, jobsPage, type JobView } from "../pages/jobs.ts";
import { wholeNumber } from "../parameters.ts";
import { Refusal } from "../refusal.ts";
import type { OpsServices } from "../services.ts";
import { answerPage, guarded, guardedForm, queryOf, seeOther, viewerOf } from "./guarded.ts";

const formMaxBytes = 8 * 1024;

/** Adds scheduled work and backups: look, run now, verify. */
export function routeJobs(router: Router<OpsState>, services: OpsServices): void {
  const { actions, backups, jobTimes } = services;

  router.get(
    "/ops/jobs",
    guarded(services, async (ctx) => {
      answerPage(ctx, jobsPage(viewerOf(ctx, services), await readJobs(services), noticeOf(queryOf(ctx))));
    }),
  );

  router.post(
    "/ops/jobs",
    guardedForm(services, formMaxBytes, async (ctx, form, operator) => {
      const job = form.get("job");
      if (!isJob(job) || !jobTimes.has(job))
        throw new Refusal(422, "There is no such job.", "Use the buttons of the page.");
      await actions.runJob(operator, job);
      seeOther(ctx, withNotice("/ops/jobs", "asked", 1));
    }),
  );

  router.get(
    "/ops/backups",
    guarded(services, async (ctx) => {
      const query = queryOf(ctx);
      const parts = { pageNumber: wholeNumber(query, "page", 1, 1, 10_000), notice: noticeOf(query) };
      answerPage(ctx, backupsPage(viewerOf(ctx, services), await backups.list(), parts));
    }),
  );

  router.post(
    "/ops/backups",
    guardedForm(services, formMaxBytes, async (ctx, form, operator) => {
      // Only what is listed: a name is never made into a path.
      const file = (await backups.list()).find((one) => path.basename(one.path) === form.get("verify"));
      if (!file) throw new Refusal(422, "There is no such backup.", "It may have been cleaned away.");
      await actions.verify(operator, backups, file);
      seeOther(ctx, withNotice("/ops/backups", "whole", 1));
    }),
  );
}

async function readJobs({ buffer, jobTimes }: OpsServices): Promise<JobView[]> {
  const [asked, nowMs] = await Promise.all([buffer.jobs.requested(), buffer.jobs.nowMs()]);
  return Promise.all(
    Array.from(jobTimes, async ([name, cron]) => {
      const nextMs = cron === undefined ? undefined : new Ticks(cron).next(nowMs);
      const status = await buffer.jobs.status(name);
      return { name, cron, nextMs, isAskedFor: asked.includes(name), status };
    }),
  );
}
