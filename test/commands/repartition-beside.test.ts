import { expect } from "chai";

import { Client } from "../support/client.ts";
import { FaultProxy } from "../support/fault-proxy.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { runCommand } from "../support/sluice-command.ts";
import { SluiceProcess, startApi, startFlusher } from "../support/sluice-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const settings = {
  FLUSH_CRON: "0 0 1 1 *",
  CHAT_QUEUE_THRESHOLD: "1000",
  MESSAGE_QUEUE_THRESHOLD: "1000",
};

/** An API and a flusher, and a client of their own. */
class Running {
  readonly client: Client;
  readonly #processes: readonly SluiceProcess[];

  private constructor(url: string, processes: readonly SluiceProcess[]) {
    this.client = new Client(url);
    this.#processes = processes;
  }

  static async start(env: NodeJS.ProcessEnv): Promise<Running> {
    const [{ process, url }, flusher] = await Promise.all([startApi(env), startFlusher(env)]);
    return new Running(url, [process, flusher]);
  }

  /** Posts until it is answered 201; answers the number. */
  async post(path: string, body: object = {}): Promise<number> {
    return waitFor(
      async () => {
        const answer = await this.client.post<{ number: number }>(path, body);
        return answer.status === 201 && answer.body.number;
      },
      { what: "a number" },
    );
  }

  async stop(): Promise<void> {
    this.client.close();
    await Promise.all(this.#processes.map((process) => process.end("SIGTERM")));
  }
}

/** Flushes until nothing waits: a flusher may be about to find Redis again. */
async function flushAll({ env, redis }: Workspace): Promise<void> {
  const isDone = async () => {
    await runCommand(["flush"], env);
    const lists = await redis.keys(`${env["REDIS_NAMESPACE"] ?? ""}:*:messages`);
    return lists.length === 0;
  };
  await waitFor(isDone, { what: "a flush of all" });
}

async function chatOf({ client }: Running): Promise<string> {
  const { token } = (await client.post<{ token: string }>("/applications", { name: "divided" })).body;
  await client.post(`/applications/${token}/chats`);
  return `/applications/${token}/chats/1/messages`;
}

describe("A change of the number of partitions", function () {
  this.timeout(240_000);

  let database: PrivateEngine;
  /** Between MySQL and the command alone. */
  let distance: FaultProxy;

  before(async () => {
    database = await PrivateEngine.start("database");
    distance = await FaultProxy.to(database.port);
  });

  after(async () => {
    await distance.close();
    await database.close();
  });

  /** Begins a change and leaves it where MySQL's answer to a statement is awaited. */
  async function changeUpTo(statement: string, env: NodeJS.ProcessEnv) {
    const answer = distance.withholdAnswerTo(statement);
    const process = new SluiceProcess(["repartition", "2"], {
      ...env,
      DATABASE_PORT: String(distance.port),
    });
    const ended = process.closed.then(() => {
      throw new Error(`the change has ended: ${process.noise.join(" ")}`);
    });
    await Promise.race([answer.begun, ended]);
    ended.catch(() => undefined);
    return { process, answer };
  }

  describe("that was broken off", () => {
    let redis: PrivateEngine;
    let workspace: Workspace;
    let api: Running;

    before(async () => {
      redis = await PrivateEngine.start("redis");
      workspace = await openWorkspace({ ...redis.env, ...database.env, ...settings });
    });

    after(async () => {
      await api.stop();
      await workspace.close();
      await redis.close();
    });

    async function emptyRedis(): Promise<void> {
      await redis.stop("SIGKILL");
      redis.loseData();
      await redis.start();
    }

    async function lossesOf(table: string): Promise<number> {
      return Math.max(...((await workspace.sql(table).pluck("losses")) as number[]));
    }

    it("forgets no loss where Redis was emptied before it is finished, and no number is given again", async () => {
      api = await Running.start(workspace.env);
      const messages = await chatOf(api);
      const given = [await api.post(messages, { body: "first" })];
      await flushAll(workspace);
      for (let loss = 0; loss < 3; loss += 1) {
        await emptyRedis();
        given.push(await api.post(messages, { body: `after loss ${loss}` }));
      }
      await flushAll(workspace);
      await api.stop();
      const losses = await lossesOf("partitions");

      const { process: change } = await changeUpTo("delete from `partitions`", workspace.env);
      await change.end("SIGKILL");
      await emptyRedis();
      expect((await runCommand(["repartition", "2"], workspace.env)).code).to.equal(0);
      expect(await lossesOf("partitions")).to.be.above(losses);

      api = await Running.start({ ...workspace.env, PARTITIONS: "2" });
      given.push(await api.post(messages, { body: "answered and lost" }));
      await emptyRedis();
      given.push(await api.post(messages, { body: "after that" }));
      expect(new Set(given).size, given.join(" ")).to.equal(given.length);
    });
  });

  describe("beside which an API starts", () => {
    let workspace: Workspace;
    let api: Running;

    before(async () => {
      workspace = await openWorkspace({ ...database.env, ...settings });
    });

    after(async () => {
      await api.stop();
      await workspace.close();
    });

    it("is taken back where that has begun to serve since it was looked who runs", async () => {
      api = await Running.start(workspace.env);
      const messages = await chatOf(api);
      await flushAll(workspace);
      await api.stop();

      const { process: change, answer } = await changeUpTo("from `partitions`", workspace.env);
      api = await Running.start(workspace.env);
      expect(await api.post(messages, { body: "accepted meanwhile" })).to.equal(1);
      answer.release();
      await change.closed;
      expect(change.child.exitCode).to.equal(1);
      expect(change.noise.join("\n")).to.match(/these run: (api|flusher)/);

      expect(await workspace.sql("settings").where({ name: "repartition" })).to.deep.equal([]);
      expect(await api.post(messages, { body: "and after it" })).to.equal(2);
      const other = await Running.start(workspace.env);
      expect(await other.post(messages, { body: "by another that starts" })).to.equal(3);
      await other.stop();
      await flushAll(workspace);
      expect(await workspace.sql("messages").pluck("number")).to.deep.equal([1, 2, 3]);
    });
  });
});
