import {
  applicationNotFound,
  applicationUnknown,
  bufferFull,
  bufferUnavailable,
  chatNotFound,
  databaseUnavailable,
  invalidFields,
  invalidParameter,
  upgradeUnderWay,
} from "../../errors.ts";
import { pageQuery } from "../pagination.ts";
import { noFields } from "../../records/records.ts";
import { presentAcceptedChat, presentChat } from "../resources/chat.ts";
import { deleted } from "../resources/common.ts";
import { exampleAccepted, exampleChat, exampleKeysetMeta, exampleMeta, exampleToken } from "./examples.ts";
import type { Body, Operation } from "./operation.ts";

const tag = "Chats";
const collection = "/applications/:token/chats";
const member = `${collection}/:number`;

const body: Body = {
  wrapper: "chat",
  schema: "ChatInput",
  isRequired: false,
  example: { title: "Orders" },
};

const one = (title: string) => ({
  schema: "Chat" as const,
  examples: { chat: presentChat({ ...exampleChat, title }) },
});

const longTitle = invalidFields({ title: ["is too long (maximum is 255 characters)"] });
const unavailable = [bufferUnavailable(), databaseUnavailable(), upgradeUnderWay()];
const missing = [applicationNotFound(exampleToken), chatNotFound(1)];

const update = {
  path: member,
  tag,
  body: { ...body, example: { title: "Returns" } },
  success: { status: 200, description: "The chat as it is now.", content: one("Returns") },
  errors: [...missing, longTitle, bufferFull(), ...unavailable],
} as const;

export const chatOperations: readonly Operation[] = [
  {
    method: "post",
    path: collection,
    id: "createChat",
    tag,
    summary: "Accept a chat",
    description: "Numbers it and keeps it at once; it is written to the database soon after.",
    body,
    takesIdempotencyKey: true,
    success: {
      status: 201,
      description: "The chat is kept, under this number.",
      headers: ["Location"],
      next: {
        id: "getChat",
        parameters: { token: "$request.path.token", number: "$response.body#/number" },
      },
      content: {
        schema: "AcceptedChat",
        examples: {
          titled: presentAcceptedChat(exampleToken, { text: "Orders", fields: noFields }, exampleAccepted),
          untitled: presentAcceptedChat(exampleToken, { text: null, fields: noFields }, exampleAccepted),
        },
      },
    },
    errors: [applicationUnknown(exampleToken), longTitle, bufferFull(), ...unavailable],
  },
  {
    method: "get",
    path: collection,
    id: "listChats",
    tag,
    summary: "List an application's chats",
    query: pageQuery,
    success: {
      status: 200,
      description: "One page of chats.",
      headers: ["Link"],
      content: {
        schema: "ChatList",
        examples: {
          page: { chats: [presentChat(exampleChat)], meta: exampleMeta },
          after: { chats: [presentChat(exampleChat)], meta: exampleKeysetMeta },
        },
      },
    },
    errors: [
      invalidParameter("after", "cannot be combined with page"),
      applicationNotFound(exampleToken),
      ...unavailable,
    ],
  },
  {
    method: "get",
    path: member,
    id: "getChat",
    tag,
    summary: "Read a chat",
    success: { status: 200, description: "The chat.", content: one("Orders") },
    errors: [...missing, ...unavailable],
  },
  { method: "put", id: "replaceChat", summary: "Change a chat's title", ...update },
  { method: "patch", id: "updateChat", summary: "Change a chat's title, with PATCH", ...update },
  {
    method: "delete",
    path: member,
    id: "deleteChat",
    tag,
    summary: "Delete a chat",
    description: "Its messages go with it. Its number is not given again.",
    success: {
      status: 200,
      description: "It is gone, for every reader at once.",
      content: { schema: "Deleted", examples: { deleted } },
    },
    errors: [...missing, bufferFull(), ...unavailable],
  },
];
