// What many would build: Fastify checks by a JSON schema, a counter in Redis numbers, and each message is a job of
// BullMQ. Both commands go over one connection that pipelines what comes in one turn of the event loop.
import { Queue } from "bullmq";
import { fastify } from "fastify";
import { Redis } from "ioredis";

import { settings, tellReady } from "./settings.ts";

interface Route {
  Params: { token: string; chat: number };
  Body: { body: string };
}

const redis = new Redis(settings.redisUrl, { maxRetriesPerRequest: null, enableAutoPipelining: true });
const queue = new Queue("messages", { connection: redis, prefix: settings.namespace });

const schema = {
  params: {
    type: "object",
    properties: { token: { type: "string", maxLength: 64 }, chat: { type: "integer", minimum: 1 } },
  },
  body: {
    type: "object",
    required: ["body"],
    properties: { body: { type: "string", minLength: 1, maxLength: 65_536 } },
  },
  response: {
    201: {
      type: "object",
      properties: { number: { type: "integer" }, body: { type: "string" }, created_at: { type: "string" } },
    },
  },
};

const app = fastify();
app.post<Route>(
  "/api/v1/applications/:token/chats/:chat/messages",
  { schema },
  async ({ params: { token, chat }, body: { body } }, reply) => {
    const number = await redis.hincrby(`${settings.namespace}:numbers:${token}`, String(chat), 1);
    const created_at = new Date().toISOString();
    await queue.add("message", { token, chat, number, body, created_at }, { removeOnComplete: true });
    return reply.code(201).send({ number, body, created_at });
  },
);

await app.listen({ port: settings.port, host: "127.0.0.1" });
tellReady();
