import {
  applicationNotFound,
  bufferFull,
  bufferUnavailable,
  databaseUnavailable,
  invalidFields,
  invalidParameter,
} from "../../errors.ts";
import { pageQuery } from "../pagination.ts";
import { presentApplication } from "../resources/application.ts";
import { deleted } from "../resources/common.ts";
import { exampleApplication, exampleMeta, exampleToken } from "./examples.ts";
import type { Body, Operation } from "./operation.ts";

const tag = "Applications";
const member = "/applications/:token";

const body: Body = {
  wrapper: "application",
  schema: "ApplicationInput",
  isRequired: true,
  example: { name: "Shop" },
};

const one = (name: string) => ({
  schema: "Application" as const,
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
} as const;

export const applicationOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/applications",
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
  },
  {
    method: "get",
    path: "/applications",
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
  },
  {
    method: "get",
    path: member,
    id: "getApplication",
    tag,
    summary: "Read an application",
    success: { status: 200, description: "The application.", content: one("Shop") },
    errors: [missing, databaseUnavailable(), bufferUnavailable()],
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
    success: {
      status: 200,
      description: "It is gone, for every reader at once.",
      content: { schema: "Deleted", examples: { deleted } },
    },
    errors: [missing, databaseUnavailable(), bufferUnavailable()],
  },
];
