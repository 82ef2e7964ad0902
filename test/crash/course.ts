import { expect } from "chai";

import { Keys } from "../../src/buffer/keys.ts";
import { Flusher } from "../../src/flusher/flusher.ts";
import { createReader } from "../../src/http/read-after-write.ts";
import type { Workspace } from "../support/workspace.ts";
import { leftInRedis, repeatedOperationIds, untilDrained } from "../support/kept.ts";
import { MortalProcess } from "./mortal-process.ts";
import type { Scene } from "./step-scenarios.ts";
import { said } from "../support/said.ts";

const everything = { start: { kind: "page", number: 1 }, perPage: 100, order: "asc" } as const;

/** As if ten seconds had passed in which whoever holds the lease was dead or paused. */
export async function runOutLease({ redis, config }: Workspace): Promise<void> {
  const { namespace, partitions } = config.redis;
  const keys = new Keys(namespace, partitions);
  await redis.del(Array.from({ length: partitions }, (_, partition) => keys.lease(partition)));
}

/** Lets a flusher that is started anew do all there is to do; nothing may be left, and nothing be there twice. */
export async function recover(workspace: Workspace): Promise<void> {
  await runOutLease(workspace);
  const process = await MortalProcess.start(workspace.config);
  const errors: unknown[] = [];
  const ignore = () => undefined;
  const log = {
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: (fields: object) => void errors.push(fields),
  };
  const settings = { thresholds: { chats: 1, messages: 1 }, maxRows: 1000 };
  const flusher = new Flusher(process.buffer, process.store, settings, log);
  flusher.trigger("minute");
  await untilDrained(workspace);
  await flusher.stop();
  await process.end();
  expect(errors).to.deep.equal([]);
  expect(await leftInRedis(workspace)).to.deep.equal([]);
  expect(await repeatedOperationIds(workspace)).to.deep.equal([]);
}

/**
 * All there is of an application in MySQL, and the numbers that are given next. What readers see must be the
 * same.
 */
export async function describeEnd({ sql }: Workspace, { token, accept, process }: Scene): Promise<string> {
  const mine = { application_token: token };
  const applications = (await sql("applications").where({ token })).length;
  const chats = (await sql("chats").where(mine).select("number", "title").orderBy("number")) as {
    number: number;
    title: string | null;
  }[];
  const messages = (await sql("messages")
    .where(mine)
    .select({ chat: "chat_number" }, "number", "body")
    .orderBy(["chat_number", "number"])) as { chat: number; number: number; body: string }[];
  const read = createReader(process.buffer, process.store);
  const seen = applications === 0 ? [] : (await read.chats(token, everything)).items;
  const next: number[] = [];
  for (const { number } of seen) {
    const listed = (await read.messages(token, number, everything)).items;
    const stored = messages.filter(({ chat }) => chat === number);
    expect(listed.map(({ body }) => body)).to.deep.equal(stored.map(({ body }) => body));
    next.push((await accept.message(token, number, said("next"))).number);
  }
  if (applications > 0) next.push((await accept.chat(token, said("next"))).number);
  expect(seen.map(({ number, title }) => ({ number, title }))).to.deep.equal(chats);
  return JSON.stringify({ applications, chats, messages, next });
}
