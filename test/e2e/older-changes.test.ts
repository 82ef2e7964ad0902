import { expect } from "chai";

import { untilDrained } from "../support/kept.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { RunningSluice } from "../support/running-sluice.ts";
import { waitFor } from "../support/wait-for.ts";

describe("An older copy of Redis in which a change of a chat was pending that was deleted since", function () {
  this.timeout(180_000);

  let redis: PrivateEngine;
  let sluice: RunningSluice;
  let chats: string;

  before(async () => {
    redis = await PrivateEngine.start("redis");
    sluice = await RunningSluice.start(redis.env);
    const { token } = (await sluice.client.post<{ token: string }>("/applications", { name: "older" })).body;
    chats = `/applications/${token}/chats`;
  });

  after(async () => {
    await sluice.stop();
    await redis.close();
  });

  /** The status of a call as soon as it is none of an outage. */
  async function statusOf(method: string, path: string, body?: object): Promise<number> {
    const text = body && JSON.stringify(body);
    const ask = async () => (await sluice.client.send(method, `${chats}${path}`, text)).status;
    return waitFor(
      async () => {
        const status = await ask();
        return status !== 503 && status;
      },
      { what: `${method} ${path} to be answered` },
    );
  }

  async function restart(exchange: () => void): Promise<void> {
    await redis.stop();
    exchange();
    await redis.start();
  }

  it("accepts nothing beneath it, when it is noticed and after", async () => {
    await statusOf("POST", "", { title: "deleted later" });
    await statusOf("POST", "", { title: "kept" });
    await statusOf("POST", "/1/messages", { body: "stored" });
    await untilDrained(sluice.workspace);
    await sluice.flusher.end("SIGTERM");
    expect(await statusOf("PATCH", "/1", { title: "changed" })).to.equal(200);
    await restart(() => {
      redis.saveData();
    });
    await sluice.startAnotherFlusher();
    expect(await statusOf("DELETE", "/1")).to.equal(200);
    await untilDrained(sluice.workspace);
    await sluice.flusher.end("SIGTERM");
    await restart(() => {
      redis.putDataBack();
    });
    // Whoever accepts notices the loss.
    expect(await statusOf("POST", "/2/messages", { body: "noticed" })).to.equal(201);
    expect(await statusOf("POST", "/1/messages", { body: "beneath what is gone" })).to.equal(404);
    await sluice.startAnotherFlusher();
    await untilDrained(sluice.workspace);
    expect(await statusOf("POST", "/1/messages", { body: "and later" })).to.equal(404);
    expect(await sluice.workspace.sql("messages").pluck("chat_number")).to.deep.equal([2]);
  });
});
