import { bodyRequired, bodyTooLarge, invalidBody } from "../../errors.ts";
import type { ApiRouter, RouteContext } from "../context.ts";
import { sendCreated } from "../created.ts";
import { idempotencyOf, markReplayed } from "../idempotency.ts";
import { parseFields, unwrap } from "../input.ts";
import { readJson } from "../middleware/json-body.ts";
import { pageFrom, sendList } from "../pagination.ts";
import { chatIn, messageIn, parentChatIn } from "../params.ts";
import { at } from "../paths.ts";
import { deleted } from "../resources/common.ts";
import { messageInput, presentAcceptedMessage, presentMessage } from "../resources/message.ts";
import type { Services } from "../services.ts";
import { isBlank } from "../text.ts";

/** JSON may spell one byte with six characters; beside the text there is room for the members' names. */
const jsonBytesFor = (messageMaxBytes: number) => messageMaxBytes * 6 + 16 * 1024;

const collection = "/applications/:token/chats/:number/messages";
const member = `${collection}/:message_number`;

/** Adds the routes of messages; the POST is the one that everything else stands aside for. */
export function routeMessages(router: ApiRouter, services: Services, messageMaxBytes: number): void {
  const { accept, read, change } = services;
  const json = readJson(jsonBytesFor(messageMaxBytes));

  router.post(at(collection), json, async (ctx) => {
    const chat = parentChatIn(ctx);
    const { token, chatNumber } = chat;
    const body = newBodyFrom(ctx.request.body, messageMaxBytes);
    const idempotency = idempotencyOf(ctx, token, chatNumber, body);
    const accepted = await accept.message(token, chatNumber, body, idempotency);
    markReplayed(ctx, accepted);
    const address = `/applications/${token}/chats/${chatNumber}/messages/${accepted.number}`;
    sendCreated(ctx, address, presentAcceptedMessage(chat, body, accepted));
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
    const body = changedBodyFrom(ctx.request.body, messageMaxBytes);
    ctx.body = presentMessage(await change.updateMessage(token, chatNumber, number, body));
  };
  router.put(at(member), json, update);
  router.patch(at(member), json, update);

  router.delete(at(member), async (ctx) => {
    const { token, chatNumber, number } = messageIn(ctx);
    await change.deleteMessage(token, chatNumber, number);
    ctx.body = deleted;
  });
}

/** The text of a new message. Whatever is wrong with it is one sentence and a 400: older clients read that. */
function newBodyFrom(json: unknown, maxBytes: number): string {
  const members = unwrap(json, "message");
  if (isBlank(members["body"])) throw bodyRequired();
  const parsed = messageInput.safeParse(members);
  if (!parsed.success) throw invalidBody(`body ${parsed.error.issues[0]?.message ?? "is invalid"}`);
  return limited(parsed.data.body, maxBytes);
}

/** The new text of a message there is. */
const changedBodyFrom = (json: unknown, maxBytes: number) =>
  limited(parseFields(messageInput, unwrap(json, "message")).body, maxBytes);

function limited(body: string, maxBytes: number): string {
  if (Buffer.byteLength(body) > maxBytes) throw bodyTooLarge(maxBytes);
  return body;
}
