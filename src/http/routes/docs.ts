import { routeNotFound } from "../../errors.ts";
import type { ApiRouter } from "../context.ts";
import { docsAsset, docsPage, docsPolicy } from "../docs-page.ts";
import { describeApi } from "../openapi/document.ts";
import { addressOf, at } from "../paths.ts";

/** Files change with a release only, and their ETag with them. */
const cacheForAnHour = "public, max-age=3600";

/** Adds the description of the API, for programs and for people. */
export function routeDocs(router: ApiRouter): void {
  const description = JSON.stringify(describeApi());

  router.get(at("/openapi.json"), (ctx) => {
    ctx.type = "application/json";
    ctx.body = description;
  });

  router.get(at("/docs"), (ctx) => {
    ctx.set("Content-Security-Policy", docsPolicy);
    ctx.type = "text/html";
    ctx.body = docsPage(addressOf(ctx.path, "/docs"));
  });

  router.get(at("/docs/:asset"), async (ctx) => {
    const asset = await docsAsset(ctx.params["asset"] ?? "");
    if (!asset) throw routeNotFound();
    ctx.set("Cache-Control", cacheForAnHour);
    ctx.set("ETag", asset.etag);
    ctx.status = 200;
    ctx.set("Content-Type", asset.type);
    if (ctx.fresh) ctx.status = 304;
    else ctx.body = asset.bytes;
  });
}
