import { rmSync } from "node:fs";

import { expect } from "chai";

import { PrivateEngine } from "../support/private-engines.ts";
import { RunningSluice } from "../support/running-sluice.ts";
import { runCommand } from "../support/sluice-command.ts";
import { waitFor } from "../support/wait-for.ts";

interface Readiness {
  readonly checks: readonly { readonly name: string; readonly ready: boolean; readonly detail: string }[];
}

/** How a real Redis is made to refuse what is written, how that ends, and what is to be said of it. */
interface Kind {
  readonly name: string;
  readonly begin: (redis: Redis) => Promise<unknown>;
  readonly end: (redis: Redis) => Promise<unknown>;
  readonly detail: string;
  readonly code?: string;
}

type Redis = RunningSluice["workspace"]["redis"];

const kinds: readonly Kind[] = [
  {
    name: "has no memory left",
    begin: (redis) => redis.config("SET", "maxmemory", "1"),
    end: (redis) => redis.config("SET", "maxmemory", "0"),
    detail: "has no memory left and refuses what is new",
    code: "buffer_full",
  },
  {
    name: "has too few replicas",
    begin: (redis) => redis.config("SET", "min-replicas-to-write", "1"),
    end: (redis) => redis.config("SET", "min-replicas-to-write", "0"),
    detail: "has fewer replicas than min-replicas-to-write wants and refuses what is new",
  },
  {
    name: "is a replica",
    // Of nobody: it keeps its data and waits for a master.
    begin: (redis) => redis.replicaof("127.0.0.1", 1),
    end: (redis) => redis.replicaof("NO", "ONE"),
    detail: "is a replica that takes no writes",
  },
  {
    name: "is a replica without its master that does not serve old data",
    async begin(redis) {
      await redis.config("SET", "replica-serve-stale-data", "no");
      await redis.replicaof("127.0.0.1", 1);
    },
    async end(redis) {
      await redis.replicaof("NO", "ONE");
      await redis.config("SET", "replica-serve-stale-data", "yes");
    },
    detail: "is a replica that has lost its master and serves nothing",
  },
  {
    name: "lacks a right within scripts",
    begin: (redis) => redis.call("ACL", "SETUSER", "default", "-hincrby"),
    end: (redis) => redis.call("ACL", "SETUSER", "default", "+hincrby"),
    detail: "may not be asked for hincrby",
  },
  {
    name: "lets its user use no channels, and cuts off who does",
    begin: (redis) => redis.call("ACL", "SETUSER", "default", "resetchannels"),
    end: (redis) => redis.call("ACL", "SETUSER", "default", "allchannels"),
    detail: "may not be asked for publish",
  },
  {
    name: "lets its user run no scripts",
    begin: (redis) => redis.call("ACL", "SETUSER", "default", "-evalsha", "-eval"),
    end: (redis) => redis.call("ACL", "SETUSER", "default", "+evalsha", "+eval"),
    detail: "gives the user of REDIS_URL too few rights",
  },
  {
    name: "cannot write its snapshots",
    async begin(redis) {
      const [, directory = ""] = await redis.config("GET", "dir");
      await redis.config("SET", "appendonly", "no");
      await redis.config("SET", "save", "3600 1");
      rmSync(directory, { recursive: true });
      await redis.bgsave();
    },
    end: (redis) => redis.config("SET", "save", ""),
    detail: "cannot write to its disk and refuses what is new",
  },
];

describe("Where Redis", () => {
  let engine: PrivateEngine;
  let sluice: RunningSluice;
  let messages: string;

  beforeEach(async () => {
    engine = await PrivateEngine.start("redis");
    sluice = await RunningSluice.start(engine.env);
    const { client } = sluice;
    const { token } = (await client.post<{ token: string }>("/applications", { name: "refused" })).body;
    await client.post(`/applications/${token}/chats`, {});
    messages = `/applications/${token}/chats/1/messages`;
    expect((await client.post(messages, { body: "first" })).status).to.equal(201);
  });

  afterEach(async () => {
    await sluice.stop();
    await engine.close();
  });

  async function redisCheck(): Promise<{ status: number; detail: string }> {
    const { status, body } = await sluice.client.get<Readiness>("/readyz");
    return { status, detail: body.checks.find(({ name }) => name === "redis")?.detail ?? "" };
  }

  for (const { name, begin, end, detail, code = "buffer_unavailable" } of kinds) {
    it(`${name}, a POST is answered 503, /readyz and status say why, and all is well again afterwards`, async () => {
      const { client, workspace } = sluice;
      await begin(workspace.redis);
      await waitFor(async () => (await redisCheck()).detail === detail, {
        what: `"${detail}"`,
        timeoutMs: 10_000,
      });
      expect((await redisCheck()).status).to.equal(503);
      const refused = await waitFor(
        async () => {
          const answer = await client.post<{ code: string }>(messages, { body: "refused" });
          return answer.body.code === code && answer;
        },
        { what: `a POST answered ${code}` },
      );
      expect(refused.status).to.equal(503);
      expect(Number(refused.headers["retry-after"])).to.be.at.least(1);
      const { lines } = await runCommand(["status"], workspace.env);
      expect(lines[0]).to.match(/^verdict +act now$/);
      expect(lines.join("\n")).to.contain(`redis ${detail}. A POST of a chat or message is answered 503.`);

      await end(workspace.redis);
      await waitFor(async () => (await redisCheck()).status === 200, { what: "/readyz", timeoutMs: 10_000 });
      const accepted = await waitFor(
        async () => {
          const answer = await client.post<{ number: number }>(messages, { body: "later" });
          return answer.status === 201 && answer;
        },
        { what: "a POST to be accepted" },
      );
      const stored = async () =>
        (await workspace.sql("messages").select("number").orderBy("number")) as { number: number }[];
      await waitFor(async () => (await stored()).at(-1)?.number === accepted.body.number, {
        what: "the message in MySQL",
      });
      // What was refused took no number.
      expect(await stored()).to.deep.equal([{ number: 1 }, { number: 2 }]);
    });
  }
});
