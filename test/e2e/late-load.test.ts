import { expect } from "chai";

import { untilDrained } from "../support/kept.ts";
import { FaultProxy } from "../support/fault-proxy.ts";
import { type Answer, Client } from "../support/client.ts";
import { letAnHourPass } from "../support/hour.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { type SluiceProcess, startApi, startFlusher } from "../support/sluice-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const rounds = Number(process.env["SLUICE_TEST_ROUNDS"] ?? 2);

/** For a race that is won in time, on a busy machine. */
const timeoutMs = 120_000;

interface Numbered {
  readonly number: number;
}

/** An API process of its own, and a client of it. */
interface Api {
  readonly process: SluiceProcess;
  readonly client: Client;
}

describe("Redis put back to an older copy between an API's look into MySQL and the number it gives", function () {
  this.timeout(600_000);

  let redis: PrivateEngine;
  let database: PrivateEngine;
  let proxy: FaultProxy;
  let workspace: Workspace;
  let flusher: SluiceProcess;
  /** One whose look into MySQL is held up, and another. */
  let [slow, swift]: Api[] = [];

  before(async () => {
    [redis, database] = await Promise.all([PrivateEngine.start("redis"), PrivateEngine.start("database")]);
    proxy = await FaultProxy.to(database.port);
    workspace = await openWorkspace({ ...redis.env, ...database.env, MESSAGE_QUEUE_THRESHOLD: "1" });
    flusher = await startFlusher(workspace.env);
    slow = await startOne({ DATABASE_PORT: String(proxy.port) });
    swift = await startOne({});
  });

  after(async () => {
    for (const api of [slow, swift]) {
      api?.client.close();
      await api?.process.end("SIGTERM");
    }
    await flusher.end("SIGTERM");
    await workspace.close();
    await proxy.close();
    await Promise.all([redis.close(), database.close()]);
  });

  async function startOne(settings: NodeJS.ProcessEnv): Promise<Api> {
    const { process, url } = await startApi({ ...workspace.env, ...settings });
    return { process, client: new Client(url) };
  }

  function post(api: Api | undefined, path: string, body: object = {}): Promise<Answer<Numbered>> {
    if (!api) throw new Error("no such API was started");
    return api.client.post<Numbered>(path, body);
  }

  /** While Redis starts the answer is 503. */
  async function postUntilDone(api: Api | undefined, path: string, body?: object): Promise<number> {
    const isDone = async () => {
      const answer = await post(api, path, body);
      return answer.status === 201 && answer.body.number;
    };
    return waitFor(isDone, { what: "a 201" });
  }

  async function exchangeData(exchange: () => void): Promise<void> {
    await redis.stop();
    exchange();
    await redis.start();
  }

  /** What the two are answered: the slow one looks into MySQL before the others are numbered. */
  async function race(messages: string): Promise<{ late: number | undefined; others: number[] }> {
    const message = { body: "raced" };
    await postUntilDone(swift, messages, message);
    await untilDrained(workspace);
    await waitFor(() => letAnHourPass(workspace), { what: "a counter at rest" });
    await exchangeData(() => {
      redis.saveData();
    });
    // Of another chat: it has looked whether Redis is whole, and knows nothing of the one that it will be asked for.
    await postUntilDone(slow, messages.replace(/chats.*/, "chats"));
    const answer = proxy.withholdAnswerTo("from `messages`");
    const late = post(slow, messages, message);
    await answer.begun;
    const others: number[] = [];
    for (let nth = 0; nth < 3; nth += 1) others.push(await postUntilDone(swift, messages, message));
    const [, token = ""] = /applications\/([^/]+)/.exec(messages) ?? [];
    const stored = () =>
      workspace
        .sql("messages")
        .where({ application_token: token, number: others.at(-1) })
        .first("number");
    await waitFor(stored, { what: "their rows" });
    await exchangeData(() => {
      redis.putDataBack();
    });
    const isConnected = async () => (await slow?.client.get("/readyz"))?.status === 200;
    await waitFor(isConnected, { what: "a Redis that the slow one has found again" });
    answer.release();
    const { status, body } = await late;
    return { late: status === 201 ? body.number : undefined, others };
  }

  /** One race in an application of its own; false where the slow one gave up, as it does within seconds. */
  async function isTried(): Promise<boolean> {
    const answer = await post(swift, "/applications", { name: "race" });
    const { token } = answer.body as unknown as { token: string };
    const chats = `/applications/${token}/chats`;
    const chat = await postUntilDone(swift, chats);
    const { late, others } = await race(`${chats}/${chat}/messages`);
    expect(others).to.not.include(late);
    return late !== undefined;
  }

  it("lets it give none that another gave meanwhile", async () => {
    for (let round = 0; round < rounds; round += 1) await waitFor(isTried, { what: "a number", timeoutMs });
  });
});
