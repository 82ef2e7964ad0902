import { message } from "../../records/fields.ts";
import { type Content, fieldsIn } from "../../records/records.ts";
import { bodyRequired, bodyTooLarge, invalidBody } from "../../errors.ts";
import type { ApiRouter, RouteContext } from "../context.ts";
import { sendCreated } from "../created.ts";
import { idempotencyOf, markReplayed, meaningOf } from "../idempotency.ts";
import { parseFields, replacing, unwrap } from "../input.ts";
import { readJson } from "../middleware/json-body.ts";
import { pageFrom, sendList } from "../pagination.ts";
import { chatIn, messageIn, parentChatIn } from "../params.ts";
import { at } from "../paths.ts";
import { fieldJsonBytes, namesField } from "../resources/content.ts";
import { deleted } from "../resources/common.ts";
import { messageInput, presentAcceptedMessage, presentMessage } from "../resources/message.ts";
import type { Services } from "../services.ts";
import { isBlank } from "../../records/text.ts";

/** JSON may spell one byte with six characters; beside the text there is room for the members' names. */
const jsonBytesFor = (messageMaxBytes: number) => messageMaxBytes * 6 + fieldJsonBytes(message) + 16 * 1024;

const collection = "/applications/:token/chats/:number/messages";
const member = `${collection}/:message_number`;

/** Adds the routes of messages; the POST is the one that everything else stands aside for. */
export function routeMessages(router: ApiRouter, services: Services, messageMaxBytes: number): void {
  const { accept, read, change } = services;
  const json = readJson(jsonBytesFor(messageMaxBytes));

  router.post(at(collection), json, async (ctx) => {
    const chat = parentChatIn(ctx);
    const { token, chatNumber } = chat;
    const content = newMessageFrom(ctx.request.body, messageMaxBytes);
    const idempotency = idempotencyOf(ctx, token, chatNumber, ...meaningOf(content));
    const accepted = await accept.message(token, chatNumber, content, idempotency);
    markReplayed(ctx, accepted);
    const address = `/applications/${token}/chats/${chatNumber}/messages/${accepted.number}`;
    sendCreated(ctx, address, presentAcceptedMessage(chat, content, accepted));
  });

  router.get(at(collection), async (ctx) => {
    const { token, chatNumber } = chatIn(ctx);
    const request = pageFrom(ctx.query);
    const page = await read.messages(token, chatNumber, request);
    const numberOf = (message: { readonly number: number }) => message.number;
    sendList(ctx, "messages", { request, page, present: presentMessage, numberOf });
  });

  router.get(at(member), async (ctx) => {
    const { token, chatNumber, number } = messageIn(ctx);
    ctx.body = presentMessage(await read.message(token, chatNumber, number));
  });

  const update = async (ctx: RouteContext) => {
    const { token, chatNumber, number } = messageIn(ctx);
    const wanted = changeFrom(ctx, messageMaxBytes);
    ctx.body = presentMessage(await change.updateMessage(token, chatNumber, number, wanted));
  };
  router.put(at(member), json, update);
  router.patch(at(member), json, update);

  router.delete(at(member), async (ctx) => {
    const { token, chatNumber, number } = messageIn(ctx);
    await change.deleteMessage(token, chatNumber, number);
    ctx.body = deleted;
  });
}

/** A new message. Whatever is wrong with it is one sentence and a 400: older clients read that. */
function newMessageFrom(json: unknown, maxBytes: number): Content {
  const members = unwrap(json, "message");
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
  const members = unwrap(ctx.request.body, "message");
  const mayLackText = ctx.method === "PATCH" && namesField(message, members);
  const input = parseFields(mayLackText ? messageInput.partial({ body: true }) : messageInput, members);
  const fields = replacing(ctx, message, fieldsIn(message, input));
  return input.body === undefined ? { fields } : { text: limited(input.body, maxBytes), fields };
}

function limited(body: string, maxBytes: number): string {
  if (Buffer.byteLength(body) > maxBytes) throw bodyTooLarge(maxBytes);
  return body;
}
