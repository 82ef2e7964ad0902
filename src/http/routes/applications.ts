import {
  applicationNotFound,
  bufferFull,
  bufferUnavailable,
  databaseUnavailable,
  invalidFields,
  invalidParameter,
} from "../../errors.ts";
import type { RouteContext } from "../context.ts";
import { sendCreated } from "../created.ts";
import { idempotencyOf, markReplayed } from "../idempotency.ts";
import { parseFields, unwrap } from "../input.ts";
import { exampleApplication, exampleMeta, exampleToken } from "../openapi/examples.ts";
import { pageFrom, pageQuery, sendList } from "../pagination.ts";
import { applicationIn } from "../params.ts";
import { applicationsPath } from "../paths.ts";
import { applicationInput, presentApplication } from "../resources/application.ts";
import { deleted } from "../resources/common.ts";
import type { Body, JsonContent, Route } from "../route.ts";
import { gone, shortJsonBytes } from "./common.ts";

const tag = "Applications";
const member = `${applicationsPath}/:token`;

const body: Body = {
  wrapper: "application",
  schema: "ApplicationInput",
  maxBytes: shortJsonBytes,
  isRequired: true,
  example: { name: "Shop" },
};

const fieldsOf = (ctx: RouteContext) => parseFields(applicationInput, unwrap(ctx.request.body, body.wrapper));

const one = (name: string): JsonContent => ({
  schema: "Application",
  examples: { application: presentApplication({ ...exampleApplication, name }) },
});

const blankName = invalidFields({ name: ["can't be blank"] });
const missing = applicationNotFound(exampleToken);

const update = {
  path: member,
  tag,
  body: { ...body, example: { name: "Workshop" } },
  success: { status: 200, description: "The application as it is now.", content: one("Workshop") },
  errors: [missing, blankName, databaseUnavailable(), bufferUnavailable()],
  handle: async (ctx, { change }) => {
    const token = applicationIn(ctx);
    ctx.body = presentApplication(await change.updateApplication(token, fieldsOf(ctx).name));
  },
} satisfies Partial<Route>;

/** The routes of applications. */
export const applicationRoutes: readonly Route[] = [
  {
    method: "post",
    path: applicationsPath,
    id: "createApplication",
    tag,
    summary: "Create an application",
    body,
    takesIdempotencyKey: true,
    success: {
      status: 201,
      description: "The new application, with the token that all its addresses begin with.",
      headers: ["Location"],
      next: { id: "getApplication", parameters: { token: "$response.body#/token" } },
      content: one("Shop"),
    },
    errors: [blankName, bufferFull(), databaseUnavailable(), bufferUnavailable()],
    handle: async (ctx, { change }) => {
      const { name } = fieldsOf(ctx);
      const created = await change.createApplication(name, idempotencyOf(ctx, name));
      markReplayed(ctx, created);
      sendCreated(ctx, `/applications/${created.application.token}`, presentApplication(created.application));
    },
  },
  {
    method: "get",
    path: applicationsPath,
    id: "listApplications",
    tag,
    summary: "List applications",
    description: "In the order of their creation. They have no numbers, so there are pages only, no `after`.",
    query: pageQuery.omit({ after: true }),
    success: {
      status: 200,
      description: "One page of applications.",
      headers: ["Link"],
      content: {
        schema: "ApplicationList",
        examples: { page: { applications: [presentApplication(exampleApplication)], meta: exampleMeta } },
      },
    },
    errors: [invalidParameter("per_page", "must be a whole number from 1 to 100"), databaseUnavailable()],
    handle: async (ctx, { read }) => {
      const request = pageFrom(ctx.query);
      // An application has a token and no number that a keyset could go by.
      if (request.start.kind === "after")
        throw invalidParameter("after", "is not available for applications");
      const page = await read.applications(request);
      sendList(ctx, "applications", { request, page, present: presentApplication });
    },
  },
  {
    method: "get",
    path: member,
    id: "getApplication",
    tag,
    summary: "Read an application",
    success: { status: 200, description: "The application.", content: one("Shop") },
    errors: [missing, databaseUnavailable(), bufferUnavailable()],
    handle: async (ctx, { read }) => {
      ctx.body = presentApplication(await read.application(applicationIn(ctx)));
    },
  },
  { method: "put", id: "replaceApplication", summary: "Rename an application", ...update },
  { method: "patch", id: "updateApplication", summary: "Rename an application, with PATCH", ...update },
  {
    method: "delete",
    path: member,
    id: "deleteApplication",
    tag,
    summary: "Delete an application",
    description: "Its chats and messages go with it, those that are still to be written included.",
    success: gone,
    errors: [missing, databaseUnavailable(), bufferUnavailable()],
    handle: async (ctx, { change }) => {
      await change.deleteApplication(applicationIn(ctx));
      ctx.body = deleted;
    },
  },
];
