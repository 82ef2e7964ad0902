import { expect } from "chai";

import { type Buffer, openBuffer } from "../../src/buffer/buffer.ts";
import { leftInRedis, untilDrained } from "../support/kept.ts";
import { FaultProxy } from "../support/fault-proxy.ts";
import { Client } from "../support/client.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { type SluiceProcess, startApi, startFlusher } from "../support/sluice-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const rounds = Number(process.env["SLUICE_TEST_ROUNDS"] ?? 2);

describe("An acknowledgement whose reply is lost, and which is repeated", function () {
  this.timeout(600_000);

  let redis: PrivateEngine;
  let proxy: FaultProxy;
  let workspace: Workspace;
  let api: SluiceProcess;
  let flusher: SluiceProcess;
  let client: Client;
  let buffer: Buffer;
  let messages: string;

  before(async () => {
    redis = await PrivateEngine.start("redis");
    proxy = await FaultProxy.to(redis.port);
    // Nothing wakes the flusher but a person.
    workspace = await openWorkspace({
      ...redis.env,
      FLUSH_CRON: "0 0 1 1 *",
      MESSAGE_QUEUE_THRESHOLD: "1000",
    });
    flusher = await startFlusher({ ...workspace.env, ...redis.addressesAt(proxy.port) });
    const started = await startApi(workspace.env);
    api = started.process;
    client = new Client(started.url);
    const thresholds = { chats: 1000, messages: 1000 };
    const limits = { ...workspace.config.buffer, thresholds };
    buffer = await openBuffer({ ...workspace.config.redis, limits }, "draining");
    const { token } = (await client.post<{ token: string }>("/applications", { name: "acks" })).body;
    await client.post(`/applications/${token}/chats`);
    messages = `/applications/${token}/chats/1/messages`;
    for (let number = 1; number <= 9; number += 1) await client.post(messages, { body: `message ${number}` });
    await flushAll();
  });

  after(async () => {
    client.close();
    buffer.close();
    await Promise.all([api.end("SIGTERM"), flusher.end("SIGTERM")]);
    await workspace.close();
    await proxy.close();
    await redis.close();
  });

  async function flushAll(): Promise<void> {
    await buffer.wake(0, "manual");
    await untilDrained(workspace);
  }

  async function put(number: number, body: string): Promise<void> {
    const { status } = await client.send("PUT", `${messages}/${number}`, JSON.stringify({ body }));
    expect(status).to.equal(200);
  }

  /** The bodies that MySQL has, by number. */
  async function stored(): Promise<Record<string, string>> {
    const rows: { number: number; body: string }[] = await workspace.sql("messages").select("number", "body");
    return Object.fromEntries(rows.map(({ number, body }) => [number, body]));
  }

  it("takes nothing off a list that looks like it did then, and all that was changed meanwhile lands", async () => {
    for (let round = 0; round < rounds; round += 1) {
      for (const number of [5, 6, 7]) await put(number, `first, round ${round}`);
      // Of all that a flusher asks for, an acknowledgement alone names what is set aside.
      const answer = proxy.withholdAnswerTo(`${workspace.config.redis.namespace}:{0}:set-aside`);
      await buffer.wake(0, "manual");
      await answer.begun;
      const isTaken = async () => (await buffer.batches.length(0, "messages")) === 0;
      await waitFor(isTaken, { what: "a batch that is off the list" });

      for (const number of [5, 9, 7]) await put(number, `second, round ${round}`);
      answer.lose();
      await flushAll();
      expect(await stored()).to.include({
        5: `second, round ${round}`,
        6: `first, round ${round}`,
        7: `second, round ${round}`,
        9: `second, round ${round}`,
      });
      expect(await leftInRedis(workspace)).to.deep.equal([]);
    }
  });
});
