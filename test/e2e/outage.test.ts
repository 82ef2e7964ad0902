import { expect } from "chai";

import { type Answer, Client } from "../support/client.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { type SluiceProcess, startApi, startFlusher } from "../support/sluice-process.ts";
import { expectUnderASecond, msOf } from "../support/under-a-second.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

describe("The API in an outage", () => {
  let redis: PrivateEngine;
  let database: PrivateEngine;
  let workspace: Workspace;
  let api: { process: SluiceProcess; url: string };
  let client: Client;
  let chats: string;
  let messages: string;

  before(async () => {
    [redis, database] = await Promise.all([PrivateEngine.start("redis"), PrivateEngine.start("database")]);
    workspace = await openWorkspace({ ...redis.env, ...database.env });
    api = await startApi(workspace.env);
    client = new Client(api.url);
    const created = await client.post<{ token: string }>("/applications", { name: "outage" });
    chats = `/applications/${created.body.token}/chats`;
    await client.post(chats);
    messages = `${chats}/1/messages`;
    await client.post(messages, { body: "before" });
  });

  after(async () => {
    client.close();
    expect(api.process.isRunning).to.equal(true);
    expect(await api.process.end("SIGTERM")).to.equal(0);
    await workspace.close();
    await Promise.all([redis.close(), database.close()]);
  });

  /** Calls, again where the machine was too busy, until the answer comes in under a second; looks at each. */
  async function promptly<T>(
    call: () => Promise<Answer<T>>,
    look: (answer: Answer<T>) => void,
  ): Promise<void> {
    await expectUnderASecond(() =>
      msOf(async () => {
        look(await call());
      }),
    );
  }

  async function expectUnavailable(call: () => Promise<Answer<unknown>>, code: string): Promise<void> {
    await promptly(call, ({ status, headers, body }) => {
      expect([status, (body as { code?: string }).code]).to.deep.equal([503, code]);
      expect(Number(headers["retry-after"])).to.be.at.least(1).and.satisfy(Number.isInteger);
    });
  }

  const isReady = async () => (await client.get("/readyz")).status === 200;
  const post = (path: string, body?: unknown) => client.post<{ number: number }>(path, body);

  async function expectNoRedis(): Promise<void> {
    for (let round = 0; round < 3; round += 1) {
      await Promise.all([
        expectUnavailable(() => client.post(chats), "buffer_unavailable"),
        expectUnavailable(() => client.post(messages, { body: "lost" }), "buffer_unavailable"),
        expectUnavailable(() => client.get(chats), "buffer_unavailable"),
        expectUnavailable(() => client.get(`${chats}/1`), "buffer_unavailable"),
        expectUnavailable(() => client.get(messages), "buffer_unavailable"),
        expectUnavailable(() => client.get(`${messages}/1`), "buffer_unavailable"),
      ]);
    }
    await promptly(
      () => client.get("/livez"),
      ({ status }) => {
        expect(status).to.equal(200);
      },
    );
    await promptly(
      () => client.get<{ checks: { name: string; ready: boolean }[] }>("/readyz"),
      ({ status, body }) => {
        expect(status).to.equal(503);
        expect(body.checks.filter((check) => !check.ready).map(({ name }) => name)).to.deep.equal(["redis"]);
      },
    );
    const metrics = await client.get<string>("/metrics");
    expect(metrics.status).to.equal(200);
    expect(metrics.body).to.match(/^sluice_redis_up 0$/m);
  }

  async function expectRedisAgain(): Promise<void> {
    await waitFor(isReady, { what: "the API to be ready" });
    expect((await post(chats)).status).to.equal(201);
    expect((await post(messages, { body: "after" })).status).to.equal(201);
    expect((await client.get(`${messages}/1`)).status).to.equal(200);
  }

  it("of Redis, stopped, answers 503 at once, and 201 as soon as Redis is back", async () => {
    await redis.stop();
    await expectNoRedis();
    await redis.start();
    await expectRedisAgain();
  });

  it("of Redis, hanging, answers 503 in under a second, and 201 as soon as Redis goes on", async () => {
    process.kill(redis.pid, "SIGSTOP");
    try {
      await expectNoRedis();
    } finally {
      process.kill(redis.pid, "SIGCONT");
    }
    await expectRedisAgain();
  });

  it("of Redis gives no number twice, and loses none of those it answered with 201", async () => {
    const bodies = new Map<number, string>();
    let isOver = false;
    const writers = Promise.all(
      Array.from({ length: 8 }, async (_, writer) => {
        for (let at = 0; !isOver; at += 1) {
          const body = `outage ${writer}/${at}`;
          const answer = await post(messages, { body });
          if (answer.status !== 201) continue;
          expect(bodies.get(answer.body.number)).to.equal(undefined);
          bodies.set(answer.body.number, body);
        }
      }),
    );
    await waitFor(() => bodies.size > 50, { what: "messages before the outage" });
    // Asked to stop, Redis writes down what it knows; a kill may cost the last second of its log.
    await redis.stop();
    const before = bodies.size;
    await redis.start();
    await waitFor(() => bodies.size > before + 50, { what: "messages after the outage" });
    isOver = true;
    await writers;
    for (const [number, body] of bodies) {
      const read = await client.get<{ body: string }>(`${messages}/${number}`);
      expect([read.status, read.body.body]).to.deep.equal([200, body]);
    }
  });

  it("of MySQL goes on accepting into what Redis knows, and lands all of it when MySQL is back", async () => {
    const bodies: string[] = [];
    let number = 0;
    await database.stop();
    try {
      await promptly(
        () => {
          bodies.push(`while MySQL is away ${bodies.length}`);
          return post(messages, { body: bodies.at(-1) });
        },
        ({ status, body }) => {
          expect(status).to.equal(201);
          number = body.number;
        },
      );
      expect((await client.get(`${messages}/${number}`)).status).to.equal(200);
      const chat = await post(chats, { title: "while MySQL is away" });
      expect(chat.status).to.equal(201);
      expect((await client.get(`${chats}/${chat.body.number}`)).status).to.equal(200);
      const first = await post(`${chats}/${chat.body.number}/messages`, { body: "first of its chat" });
      expect([first.status, first.body.number]).to.deep.equal([201, 1]);
      await expectUnavailable(
        () => client.post("/applications", { name: "refused" }),
        "database_unavailable",
      );
      await expectUnavailable(() => client.get("/applications"), "database_unavailable");
      await expectUnavailable(() => client.post("/applications/nobody/chats"), "database_unavailable");
      for (const path of ["/readyz", "/livez"]) {
        await promptly(
          () => client.get(path),
          ({ status }) => {
            expect(status).to.equal(200);
          },
        );
      }
    } finally {
      await database.start();
    }
    const flusher = await startFlusher({ ...workspace.env, MESSAGE_QUEUE_THRESHOLD: "1" });
    await waitFor(
      async () => {
        const rows: unknown[] = await workspace
          .sql("messages")
          .whereIn("body", [...bodies, "first of its chat"]);
        return rows.length === bodies.length + 1;
      },
      { what: "every message in MySQL" },
    );
    await flusher.end("SIGTERM");
    expect((await client.post("/applications", { name: "accepted" })).status).to.equal(201);
  });

  it("leaves no error in the log: an outage mends itself", () => {
    const loud = api.process.log.filter(({ level }) => level === "error" || level === "fatal");
    expect(loud).to.deep.equal([]);
    expect(api.process.noise).to.deep.equal([]);
  });
});
