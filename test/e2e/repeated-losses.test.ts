import { expect } from "chai";

import { PrivateEngine } from "../support/private-engines.ts";
import { RunningSluice } from "../support/running-sluice.ts";
import { waitFor } from "../support/wait-for.ts";

const losses = Number(process.env["SLUICE_TEST_ROUNDS"] ?? 2);
const postsEach = 3;
const gap = 100;

describe("Redis that loses all it has again and again, with nothing flushed in between", () => {
  let redis: PrivateEngine;
  let sluice: RunningSluice;

  before(async () => {
    redis = await PrivateEngine.start("redis", ["--appendonly", "no"]);
    sluice = await RunningSluice.start({
      ...redis.env,
      NUMBER_GAP_AFTER_LOSS: String(gap),
      FLUSH_CRON: "0 0 1 1 *",
      MESSAGE_QUEUE_THRESHOLD: "1000",
      CHAT_QUEUE_THRESHOLD: "1000",
    });
  });

  after(async () => {
    await sluice.stop();
    await redis.close();
  });

  /** The number of a 201; while Redis starts the answer is 503. */
  async function post(path: string): Promise<number> {
    const { body } = await waitFor(
      async () => {
        const answer = await sluice.client.post<{ number: number }>(path, { body: "lost", title: "lost" });
        return answer.status === 201 && answer;
      },
      { what: "a 201" },
    );
    return body.number;
  }

  const ofEach = async (path: string) => {
    const numbers: number[] = [];
    for (let nth = 0; nth < postsEach; nth += 1) numbers.push(await post(path));
    return numbers;
  };

  async function loseAll(): Promise<void> {
    await redis.stop("SIGKILL");
    await redis.start();
  }

  const risesAndNeverRepeats = (numbers: readonly number[]) => {
    expect(numbers).to.deep.equal([...new Set(numbers)].sort((a, b) => a - b));
  };

  it("gives none of the numbers again that were answered before", async () => {
    const { client, workspace } = sluice;
    const { token } = (await client.post<{ token: string }>("/applications", { name: "losses" })).body;
    const chats = `/applications/${token}/chats`;
    const chat = await post(chats);
    await workspace.redis.publish(`${workspace.config.redis.namespace}:{0}:wake`, "manual");
    const stored = () => workspace.sql("chats").where({ application_token: token }).first("number");
    await waitFor(stored, { what: "the chat in MySQL" });

    const given: { chats: number[]; messages: number[] } = { chats: [chat], messages: [] };
    for (let loss = 0; loss <= losses; loss += 1) {
      if (loss > 0) await loseAll();
      given.messages.push(...(await ofEach(`${chats}/${chat}/messages`)));
      given.chats.push(...(await ofEach(chats)));
    }
    risesAndNeverRepeats(given.messages);
    risesAndNeverRepeats(given.chats);
  });
});
