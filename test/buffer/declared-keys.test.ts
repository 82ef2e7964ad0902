import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";

import { expect } from "chai";
import type { Redis } from "ioredis";

import { Keys } from "../../src/buffer/keys.ts";
import { type ScriptName, scriptSource } from "../../src/buffer/scripts.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { RunningSluice } from "../support/running-sluice.ts";
import { runCommand } from "../support/sluice-command.ts";
import { connectToRedis } from "../support/test-redis.ts";
import { waitFor } from "../support/wait-for.ts";
import type { Workspace } from "../support/workspace.ts";

const folder = new URL("../../src/buffer/lua/", import.meta.url);
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".lua"))
  .map((file) => file.replace(/\.lua$/, "") as ScriptName);
/** Only after a loss of Redis' data, or with an Elasticsearch, are these called. */
const rare = ["begin-epoch", "clear-mark", "count-indexed", "owe-removal", "owe", "settle"];
/** Called by a person who has something put right. */
const byHand = "mend-";

/** A call of a script: the keys it was given, and the commands it gave. */
interface Call {
  readonly script: ScriptName | "another";
  readonly keys: readonly string[];
  readonly commands: string[][];
}

/** Scripts by their digest and by how they begin, as Redis shows them in one way or the other. */
const scripts = new Map(
  names.flatMap((name) => {
    const source = scriptSource(name);
    const digest = createHash("sha1").update(source).digest("hex");
    return [digest, source].map((text) => [beginning(text), name] as const);
  }),
);

function beginning(text: string): string {
  return text.replace(/\\n|\n/g, "").slice(0, 40);
}

/** Notes from now on what scripts do in a Redis; it shows a script's call before what the script does. */
async function watchScripts(redis: Redis): Promise<{ calls: readonly Call[]; stop: () => void }> {
  const calls: Call[] = [];
  const monitor = await redis.monitor();
  monitor.on("monitor", (_time: string, args: string[], source: string) => {
    const [command = "", text = "", count] = args;
    if (source === "lua") calls.at(-1)?.commands.push(args);
    if (!command.startsWith("eval")) return;
    const script = scripts.get(beginning(text)) ?? "another";
    calls.push({ script, keys: args.slice(3, 3 + Number(count)), commands: [] });
  });
  return {
    calls,
    stop: () => {
      monitor.disconnect();
    },
  };
}

/** The keys that a command is about, by Redis' own table; none for one that has no keys. */
async function keysOf(redis: Redis, command: readonly string[]): Promise<string[]> {
  if (command.length === 1) return [];
  try {
    return (await redis.call("COMMAND", "GETKEYS", ...command)) as string[];
  } catch (error) {
    if (String(error).includes("no key arguments")) return [];
    throw error;
  }
}

describe("A script", () => {
  let engine: PrivateEngine;
  let sluice: RunningSluice;
  let redis: Redis;

  before(async () => {
    engine = await PrivateEngine.start("redis");
    redis = connectToRedis(engine.env["REDIS_URL"] ?? "");
  });

  after(async () => {
    await sluice.stop();
    redis.disconnect();
    await engine.close();
  });

  async function untilMessages({ sql }: Workspace, count: number): Promise<void> {
    const rows = async () => (await sql("messages").select("number")) as unknown[];
    await waitFor(async () => (await rows()).length === count, { what: `${count} rows of messages` });
  }

  /** Has an API and a flusher do something of everything. */
  async function useAll(): Promise<void> {
    sluice = await RunningSluice.start({ ...engine.env, PARTITIONS: "2" });
    const { client, workspace } = sluice;
    await workspace.sql.raw("alter table chats modify title varchar(10) null");
    const { token } = (await client.post<{ token: string }>("/applications", { name: "watched" })).body;
    const chats = `/applications/${token}/chats`;
    await client.post(chats, {});
    await client.post(chats, { title: "longer than its column" });
    const headers = { "idempotency-key": "once" };
    for (let nth = 0; nth < 3; nth += 1) {
      await client.send("POST", `${chats}/1/messages`, JSON.stringify({ body: "text" }), headers);
      await client.post(`${chats}/1/messages`, { body: `text ${nth}` });
    }
    await client.send("PATCH", `${chats}/1/messages/1`, JSON.stringify({ body: "changed" }));
    await client.send("DELETE", `${chats}/1/messages/2`);
    await client.get(`${chats}/1/messages?per_page=2`);
    await client.get(`${chats}/1/messages/search?query=text`);
    await waitFor(async () => (await sluice.metric("sluice_dead_letters")) === 1, { what: "a dead letter" });
    await untilMessages(workspace, 3);
    await client.send("PATCH", `${chats}/1/messages/1`, JSON.stringify({ body: "changed again" }));
    const keys = new Keys(workspace.config.redis.namespace, workspace.config.redis.partitions);
    const [id = ""] = await redis.zrange(keys.deadLetters(keys.partitionOf(token)), "0", "-1");
    expect((await runCommand(["dead-letters", "discard", id], workspace.env)).code).to.equal(0);
    expect((await runCommand(["counts"], workspace.env)).code).to.equal(0);
    expect((await runCommand(["flush"], workspace.env)).code).to.equal(0);
    await client.send("DELETE", `${chats}/1`);
    expect((await client.send("DELETE", `/applications/${token}`)).status).to.equal(200);
    await untilMessages(workspace, 0);
  }

  it("touches no key that it was not given, of whichever a slot has", async () => {
    const { calls, stop } = await watchScripts(redis);
    await useAll().finally(stop);
    for (const { script, keys, commands } of calls) {
      for (const command of commands) {
        const touched = await keysOf(redis, command);
        expect(keys, `${script}: ${command.slice(0, 2).join(" ")}`).to.include.members(touched);
      }
    }
    const seen = new Set(calls.filter(({ commands }) => commands.length > 0).map(({ script }) => script));
    const missing = names.filter((name) => !seen.has(name) && !name.startsWith(byHand));
    expect(missing).to.deep.equal(rare);
  });
});
