import {
  applicationUnknown,
  bodyRequired,
  bodyTooLarge,
  bufferFull,
  chatUnknown,
  invalidBody,
  invalidFields,
  invalidParameter,
  messageNotFound,
} from "../../errors.ts";
import { message } from "../../records/fields.ts";
import { type Content, fieldsIn } from "../../records/records.ts";
import { isBlank } from "../../records/text.ts";
import type { RouteContext } from "../context.ts";
import { sendCreated } from "../created.ts";
import { idempotencyOf, markReplayed, meaningOf } from "../idempotency.ts";
import { parseFields, replacing, unwrap } from "../input.ts";
import {
  exampleAccepted,
  exampleKeysetMeta,
  exampleMessage,
  exampleMeta,
  exampleToken,
} from "../openapi/examples.ts";
import { pageFrom, pageQuery, sendList } from "../pagination.ts";
import { chatIn, messageIn, parentChatIn } from "../params.ts";
import { messagesPath } from "../paths.ts";
import { deleted } from "../resources/common.ts";
import { fieldJsonBytes, namesField } from "../resources/content.ts";
import { messageInput, presentAcceptedMessage, presentMessage } from "../resources/message.ts";
import type { Body, JsonContent, Route } from "../route.ts";
import { chatMissing, gone, unavailable } from "./common.ts";
import { searchRoute } from "./search.ts";

const tag = "Messages";
const member = `${messagesPath}/:message_number`;

const newText = exampleMessage.body;
const changedText = "Where is my parcel?";

const body: Body = {
  wrapper: "message",
  schema: "MessageInput",
  // JSON may spell one byte with six characters; beside the text there is room for the members' names.
  maxBytes: (messageMaxBytes) => messageMaxBytes * 6 + fieldJsonBytes(message) + 16 * 1024,
  isRequired: true,
  example: { body: newText },
};

/** A new message. Whatever is wrong with it is one sentence and a 400: older clients read that. */
function newMessageFrom(ctx: RouteContext, maxBytes: number): Content {
  const members = unwrap(ctx.request.body, body.wrapper);
  if (isBlank(members["body"])) throw bodyRequired();
  const parsed = messageInput.safeParse(members);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalidBody(`${issue?.path[0]?.toString() ?? "body"} ${issue?.message ?? "is invalid"}`);
  }
  return { text: limited(parsed.data.body, maxBytes), fields: fieldsIn(message, parsed.data) };
}

/** What is to change of a message there is. The text may be left out by a PATCH that names something else. */
function changeFrom(ctx: RouteContext, maxBytes: number): Partial<Content> {
  const members = unwrap(ctx.request.body, body.wrapper);
  const mayLackText = ctx.method === "PATCH" && namesField(message, members);
  const input = parseFields(mayLackText ? messageInput.partial({ body: true }) : messageInput, members);
  const fields = replacing(ctx, message, fieldsIn(message, input));
  return input.body === undefined ? { fields } : { text: limited(input.body, maxBytes), fields };
}

function limited(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) > maxBytes) throw bodyTooLarge(maxBytes);
  return text;
}

const one = (text: string): JsonContent => ({
  schema: "Message",
  examples: { message: presentMessage({ ...exampleMessage, body: text }) },
});

const missing = [...chatMissing, messageNotFound(1)];

const update = {
  path: member,
  tag,
  body: { ...body, example: { body: changedText } },
  success: { status: 200, description: "The message as it is now.", content: one(changedText) },
  errors: [...missing, invalidFields({ body: ["can't be blank"] }), bufferFull(), ...unavailable],
  handle: async (ctx, { change, messageMaxBytes }) => {
    const { token, chatNumber, number } = messageIn(ctx);
    const wanted = changeFrom(ctx, messageMaxBytes);
    ctx.body = presentMessage(await change.updateMessage(token, chatNumber, number, wanted));
  },
} satisfies Partial<Route>;

/** The routes of messages; the POST is the one that everything else stands aside for. */
export const messageRoutes: readonly Route[] = [
  {
    method: "post",
    path: messagesPath,
    id: "createMessage",
    tag,
    summary: "Accept a message",
    description: "Numbers it and keeps it at once; it is written to the database soon after.",
    body,
    takesIdempotencyKey: true,
    success: {
      status: 201,
      description: "The message is kept, under this number.",
      headers: ["Location"],
      next: {
        id: "getMessage",
        parameters: {
          token: "$request.path.token",
          number: "$request.path.number",
          message_number: "$response.body#/number",
        },
      },
      content: {
        schema: "AcceptedMessage",
        examples: {
          accepted: presentAcceptedMessage(
            { token: exampleToken, chatNumber: 1 },
            { text: newText, fields: exampleMessage.fields },
            exampleAccepted,
          ),
        },
      },
    },
    errors: [
      bodyRequired(),
      applicationUnknown(exampleToken),
      chatUnknown(exampleToken, 1),
      bufferFull(),
      ...unavailable,
    ],
    handle: async (ctx, { accept, messageMaxBytes }) => {
      const chat = parentChatIn(ctx);
      const { token, chatNumber } = chat;
      const content = newMessageFrom(ctx, messageMaxBytes);
      const idempotency = idempotencyOf(ctx, token, chatNumber, ...meaningOf(content));
      const accepted = await accept.message(token, chatNumber, content, idempotency);
      markReplayed(ctx, accepted);
      const address = `/applications/${token}/chats/${chatNumber}/messages/${accepted.number}`;
      sendCreated(ctx, address, presentAcceptedMessage(chat, content, accepted));
    },
  },
  {
    method: "get",
    path: messagesPath,
    id: "listMessages",
    tag,
    summary: "List a chat's messages",
    query: pageQuery,
    success: {
      status: 200,
      description: "One page of messages.",
      headers: ["Link"],
      content: {
        schema: "MessageList",
        examples: {
          page: { messages: [presentMessage(exampleMessage)], meta: exampleMeta },
          after: { messages: [presentMessage(exampleMessage)], meta: exampleKeysetMeta },
        },
      },
    },
    errors: [invalidParameter("order", "must be asc or desc, given once"), ...chatMissing, ...unavailable],
    handle: async (ctx, { read }) => {
      const { token, chatNumber } = chatIn(ctx);
      const request = pageFrom(ctx.query);
      const page = await read.messages(token, chatNumber, request);
      sendList(ctx, "messages", { request, page, present: presentMessage, numberOf: ({ number }) => number });
    },
  },
  searchRoute,
  {
    method: "get",
    path: member,
    id: "getMessage",
    tag,
    summary: "Read a message",
    success: { status: 200, description: "The message.", content: one(newText) },
    errors: [...missing, ...unavailable],
    handle: async (ctx, { read }) => {
      const { token, chatNumber, number } = messageIn(ctx);
      ctx.body = presentMessage(await read.message(token, chatNumber, number));
    },
  },
  { method: "put", id: "replaceMessage", summary: "Change a message's text", ...update },
  { method: "patch", id: "updateMessage", summary: "Change a message's text, with PATCH", ...update },
  {
    method: "delete",
    path: member,
    id: "deleteMessage",
    tag,
    summary: "Delete a message",
    description: "Its number is not given again.",
    success: gone,
    errors: [...missing, bufferFull(), ...unavailable],
    handle: async (ctx, { change }) => {
      const { token, chatNumber, number } = messageIn(ctx);
      await change.deleteMessage(token, chatNumber, number);
      ctx.body = deleted;
    },
  },
];
