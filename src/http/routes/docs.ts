import { routeNotFound } from "../../errors.ts";
import { docsAsset, docsPage, docsPolicy } from "../docs-page.ts";
import { headerRefs } from "../openapi/headers.ts";
import { addressOf } from "../paths.ts";
import type { Route } from "../route.ts";

const tag = "Service";
const page = "/docs";

/** Files change with a release only, and their ETag with them. */
const cacheForAnHour = "public, max-age=3600";

/** The description of the API, for programs and for people. */
export const docsRoutes: readonly Route[] = [
  {
    method: "get",
    path: "/openapi.json",
    id: "getDescription",
    tag,
    summary: "Read this description",
    success: {
      status: 200,
      description: "An OpenAPI 3.1 document.",
      content: { types: ["application/json"], inline: { type: "object" } },
    },
    errors: [],
    handle: (ctx, { description }) => {
      ctx.type = "application/json";
      ctx.body = description;
    },
  },
  {
    method: "get",
    path: page,
    id: "getDocs",
    tag,
    summary: "Read and try the API in a browser",
    success: {
      status: 200,
      description: "A page that shows this description.",
      content: { types: ["text/html"], inline: { type: "string" } },
    },
    errors: [],
    handle: (ctx) => {
      ctx.set("Content-Security-Policy", docsPolicy);
      ctx.type = "text/html";
      ctx.body = docsPage(addressOf(ctx.path, page));
    },
  },
  {
    method: "get",
    path: `${page}/:asset`,
    id: "getDocsAsset",
    tag,
    summary: "Read a file of that page",
    success: {
      status: 200,
      description: "The file.",
      headers: ["ETag"],
      content: { types: ["text/css", "text/javascript", "image/png"], inline: {} },
    },
    errors: [routeNotFound()],
    otherAnswers: {
      304: { description: "The file is the one you have.", headers: headerRefs(["X-Request-Id", "ETag"]) },
    },
    handle: async (ctx) => {
      const asset = await docsAsset(ctx.params["asset"] ?? "");
      if (!asset) throw routeNotFound();
      ctx.set("Cache-Control", cacheForAnHour);
      ctx.set("ETag", asset.etag);
      ctx.status = 200;
      ctx.set("Content-Type", asset.type);
      if (ctx.fresh) ctx.status = 304;
      else ctx.body = asset.bytes;
    },
  },
];
