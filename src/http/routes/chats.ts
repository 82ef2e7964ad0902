import { chat } from "../../records/fields.ts";
import { fieldsIn } from "../../records/records.ts";
import type { ApiRouter, RouteContext } from "../context.ts";
import { sendCreated } from "../created.ts";
import { idempotencyOf, markReplayed, meaningOf } from "../idempotency.ts";
import { parseFields, replacing, unwrap } from "../input.ts";
import { readJson } from "../middleware/json-body.ts";
import { pageFrom, sendList } from "../pagination.ts";
import { applicationIn, chatIn, parentApplicationIn } from "../params.ts";
import { at } from "../paths.ts";
import { chatInput, presentAcceptedChat, presentChat } from "../resources/chat.ts";
import { deleted } from "../resources/common.ts";
import type { Services } from "../services.ts";

/** A title of the greatest length, every character escaped, and room around it. */
const maxJsonBytes = 16 * 1024;

const collection = "/applications/:token/chats";
const member = `${collection}/:number`;

/** What a request says of a chat; the title is undefined where it names none. */
function chatFrom(ctx: RouteContext) {
  const input = parseFields(chatInput, unwrap(ctx.request.body, "chat"));
  return { title: input.title, fields: fieldsIn(chat, input) };
}

/** Adds the routes of chats. */
export function routeChats(router: ApiRouter, { accept, read, change }: Services): void {
  router.post(at(collection), readJson(maxJsonBytes), async (ctx) => {
    const token = parentApplicationIn(ctx);
    const { title: text = null, fields } = chatFrom(ctx);
    const content = { text, fields };
    const accepted = await accept.chat(token, content, idempotencyOf(ctx, token, ...meaningOf(content)));
    markReplayed(ctx, accepted);
    const address = `/applications/${token}/chats/${accepted.number}`;
    sendCreated(ctx, address, presentAcceptedChat(token, content, accepted));
  });

  router.get(at(collection), async (ctx) => {
    const token = applicationIn(ctx);
    const request = pageFrom(ctx.query);
    const page = await read.chats(token, request);
    sendList(ctx, "chats", { request, page, present: presentChat, numberOf: (chat) => chat.number });
  });

  router.get(at(member), async (ctx) => {
    const { token, chatNumber } = chatIn(ctx);
    ctx.body = presentChat(await read.chat(token, chatNumber));
  });

  const update = async (ctx: RouteContext) => {
    const { token, chatNumber } = chatIn(ctx);
    const { title: text, fields } = chatFrom(ctx);
    const wanted = { ...(text !== undefined && { text }), fields: replacing(ctx, chat, fields) };
    ctx.body = presentChat(await change.updateChat(token, chatNumber, wanted));
  };
  router.put(at(member), readJson(maxJsonBytes), update);
  router.patch(at(member), readJson(maxJsonBytes), update);

  router.delete(at(member), async (ctx) => {
    const { token, chatNumber } = chatIn(ctx);
    await change.deleteChat(token, chatNumber);
    ctx.body = deleted;
  });
}
