import { invalidParameter } from "../../errors.ts";
import type { ApiRouter, RouteContext } from "../context.ts";
import { sendCreated } from "../created.ts";
import { idempotencyOf, markReplayed } from "../idempotency.ts";
import { parseFields, unwrap } from "../input.ts";
import { readJson } from "../middleware/json-body.ts";
import { pageFrom, sendList } from "../pagination.ts";
import { applicationIn } from "../params.ts";
import { at } from "../paths.ts";
import { applicationInput, presentApplication } from "../resources/application.ts";
import { deleted } from "../resources/common.ts";
import type { Services } from "../services.ts";

/** A name of the greatest length, every character escaped, and room around it. */
const maxJsonBytes = 16 * 1024;

const fieldsOf = (ctx: RouteContext) =>
  parseFields(applicationInput, unwrap(ctx.request.body, "application"));

/** Adds the routes of applications. */
export function routeApplications(router: ApiRouter, { read, change }: Services): void {
  router.get(at("/applications"), async (ctx) => {
    const request = pageFrom(ctx.query);
    // An application has a token and no number that a keyset could go by.
    if (request.start.kind === "after") throw invalidParameter("after", "is not available for applications");
    const page = await read.applications(request);
    sendList(ctx, "applications", { request, page, present: presentApplication });
  });

  router.post(at("/applications"), readJson(maxJsonBytes), async (ctx) => {
    const { name } = fieldsOf(ctx);
    const created = await change.createApplication(name, idempotencyOf(ctx, name));
    markReplayed(ctx, created);
    sendCreated(ctx, `/applications/${created.application.token}`, presentApplication(created.application));
  });

  router.get(at("/applications/:token"), async (ctx) => {
    ctx.body = presentApplication(await read.application(applicationIn(ctx)));
  });

  const update = async (ctx: RouteContext) => {
    const token = applicationIn(ctx);
    ctx.body = presentApplication(await change.updateApplication(token, fieldsOf(ctx).name));
  };
  router.put(at("/applications/:token"), readJson(maxJsonBytes), update);
  router.patch(at("/applications/:token"), readJson(maxJsonBytes), update);

  router.delete(at("/applications/:token"), async (ctx) => {
    await change.deleteApplication(applicationIn(ctx));
    ctx.body = deleted;
  });
}
