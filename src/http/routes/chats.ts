import type { ApiRouter, RouteContext } from "../context.ts";
import { sendCreated } from "../created.ts";
import { idempotencyOf, markReplayed } from "../idempotency.ts";
import { parseFields, unwrap } from "../input.ts";
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

const fieldsOf = (ctx: RouteContext) => parseFields(chatInput, unwrap(ctx.request.body, "chat"));

/** Adds the routes of chats. */
export function routeChats(router: ApiRouter, { accept, read, change }: Services): void {
  router.post(at(collection), readJson(maxJsonBytes), async (ctx) => {
    const token = parentApplicationIn(ctx);
    const { title = null } = fieldsOf(ctx);
    const accepted = await accept.chat(token, title, idempotencyOf(ctx, token, title));
    markReplayed(ctx, accepted);
    const address = `/applications/${token}/chats/${accepted.number}`;
    sendCreated(ctx, address, presentAcceptedChat(token, title, accepted));
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
    ctx.body = presentChat(await change.updateChat(token, chatNumber, fieldsOf(ctx).title));
  };
  router.put(at(member), readJson(maxJsonBytes), update);
  router.patch(at(member), readJson(maxJsonBytes), update);

  router.delete(at(member), async (ctx) => {
    const { token, chatNumber } = chatIn(ctx);
    await change.deleteChat(token, chatNumber);
    ctx.body = deleted;
  });
}
