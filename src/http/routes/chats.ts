import {
  applicationNotFound,
  applicationUnknown,
  bufferFull,
  invalidFields,
  invalidParameter,
} from "../../errors.ts";
import { chat } from "../../records/fields.ts";
import { fieldsIn, noFields } from "../../records/records.ts";
import type { RouteContext } from "../context.ts";
import { sendCreated } from "../created.ts";
import { idempotencyOf, markReplayed, meaningOf } from "../idempotency.ts";
import { parseFields, replacing, unwrap } from "../input.ts";
import {
  exampleAccepted,
  exampleChat,
  exampleKeysetMeta,
  exampleMeta,
  exampleToken,
} from "../openapi/examples.ts";
import { pageFrom, pageQuery, sendList } from "../pagination.ts";
import { applicationIn, chatIn, parentApplicationIn } from "../params.ts";
import { chatsPath } from "../paths.ts";
import { chatInput, presentAcceptedChat, presentChat } from "../resources/chat.ts";
import { deleted } from "../resources/common.ts";
import type { Body, JsonContent, Route } from "../route.ts";
import { chatMissing, gone, shortJsonBytes, unavailable } from "./common.ts";

const tag = "Chats";
const member = `${chatsPath}/:number`;

const body: Body = {
  wrapper: "chat",
  schema: "ChatInput",
  maxBytes: shortJsonBytes,
  isRequired: false,
  example: { title: "Orders" },
};

/** What a request says of a chat; the title is undefined where it names none. */
function chatFrom(ctx: RouteContext) {
  const input = parseFields(chatInput, unwrap(ctx.request.body, body.wrapper));
  return { title: input.title, fields: fieldsIn(chat, input) };
}

const one = (title: string): JsonContent => ({
  schema: "Chat",
  examples: { chat: presentChat({ ...exampleChat, title }) },
});

const longTitle = invalidFields({ title: ["is too long (maximum is 255 characters)"] });

const update = {
  path: member,
  tag,
  body: { ...body, example: { title: "Returns" } },
  success: { status: 200, description: "The chat as it is now.", content: one("Returns") },
  errors: [...chatMissing, longTitle, bufferFull(), ...unavailable],
  handle: async (ctx, { change }) => {
    const { token, chatNumber } = chatIn(ctx);
    const { title: text, fields } = chatFrom(ctx);
    const wanted = { ...(text !== undefined && { text }), fields: replacing(ctx, chat, fields) };
    ctx.body = presentChat(await change.updateChat(token, chatNumber, wanted));
  },
} satisfies Partial<Route>;

/** The routes of chats. */
export const chatRoutes: readonly Route[] = [
  {
    method: "post",
    path: chatsPath,
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
    handle: async (ctx, { accept }) => {
      const token = parentApplicationIn(ctx);
      const { title: text = null, fields } = chatFrom(ctx);
      const content = { text, fields };
      const accepted = await accept.chat(token, content, idempotencyOf(ctx, token, ...meaningOf(content)));
      markReplayed(ctx, accepted);
      const address = `/applications/${token}/chats/${accepted.number}`;
      sendCreated(ctx, address, presentAcceptedChat(token, content, accepted));
    },
  },
  {
    method: "get",
    path: chatsPath,
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
    handle: async (ctx, { read }) => {
      const token = applicationIn(ctx);
      const request = pageFrom(ctx.query);
      const page = await read.chats(token, request);
      sendList(ctx, "chats", { request, page, present: presentChat, numberOf: ({ number }) => number });
    },
  },
  {
    method: "get",
    path: member,
    id: "getChat",
    tag,
    summary: "Read a chat",
    success: { status: 200, description: "The chat.", content: one("Orders") },
    errors: [...chatMissing, ...unavailable],
    handle: async (ctx, { read }) => {
      const { token, chatNumber } = chatIn(ctx);
      ctx.body = presentChat(await read.chat(token, chatNumber));
    },
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
    success: gone,
    errors: [...chatMissing, bufferFull(), ...unavailable],
    handle: async (ctx, { change }) => {
      const { token, chatNumber } = chatIn(ctx);
      await change.deleteChat(token, chatNumber);
      ctx.body = deleted;
    },
  },
];
