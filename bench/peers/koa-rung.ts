// What of Sluice's accept path is not Sluice's own, a rung more with each name: koa, router, body, script.
import Router from "@koa/router";
import { Redis } from "ioredis";
import Koa, { type Context, type Middleware, type Next } from "koa";
import { koaBody } from "koa-body";

import { settings, tellReady } from "./settings.ts";

/** Numbers a message and keeps it, with none of the care that Sluice takes. */
const lua = `
  local number = redis.call('HINCRBY', KEYS[1], 'last', 1)
  redis.call('HSET', KEYS[2], number, ARGV[1])
  redis.call('RPUSH', KEYS[3], number)
  return number`;

type Keep = (...keysAndArguments: string[]) => Promise<number>;

/** The body as `bare node:http` reads it. */
async function readPlainly(ctx: Context, next: Next): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of ctx.req) chunks.push(chunk as Buffer);
  const request: { body?: unknown } = ctx.request;
  request.body = JSON.parse(Buffer.concat(chunks).toString() || "null");
  await next();
}

function echo(ctx: Context): void {
  ctx.status = 201;
  ctx.body = ctx.request.body;
}

function keepEach(): Middleware {
  const redis = new Redis(settings.redisUrl, { maxRetriesPerRequest: null, enableAutoPipelining: true });
  redis.defineCommand("keep", { lua, numberOfKeys: 3 });
  const { keep } = redis as unknown as { keep: Keep };
  return async (ctx) => {
    const { body } = ctx.request.body as { readonly body: string };
    const keys = ["counter", "pending", "list"].map((name) => `${settings.namespace}:${name}`);
    const number = await keep.call(redis, ...keys, body);
    ctx.status = 201;
    ctx.body = { number, body };
  };
}

const parse = koaBody({ urlencoded: false, text: false });
const rungs = new Map<string | undefined, () => Middleware[]>([
  ["koa", () => [readPlainly, echo]],
  ["router", () => [routed(readPlainly, echo)]],
  ["body", () => [routed(parse, echo)]],
  ["script", () => [routed(parse, keepEach())]],
]);

function routed(...stack: Middleware[]): Middleware {
  const router = new Router();
  router.post("{/api/v1}/applications/:token/chats/:number/messages", ...stack);
  return router.routes() as unknown as Middleware;
}

const app = new Koa();
for (const middleware of rungs.get(process.argv[2])?.() ?? []) app.use(middleware);
app.listen(settings.port, "127.0.0.1", tellReady);
