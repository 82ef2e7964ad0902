import { expect } from "chai";

import { repeatedOperationIds, untilDrained } from "../support/kept.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { RunningSluice } from "../support/running-sluice.ts";
import { waitFor } from "../support/wait-for.ts";

const gap = 100;

describe("An older copy of Redis that is put back after its records were flushed, changed and deleted", () => {
  let redis: PrivateEngine;
  let sluice: RunningSluice;
  let chats: string;
  /** An application that is deleted after the copy. */
  let doomed: string;

  before(async () => {
    redis = await PrivateEngine.start("redis");
    sluice = await RunningSluice.start({ ...redis.env, NUMBER_GAP_AFTER_LOSS: String(gap) });
    const create = async (name: string) =>
      (await sluice.client.post<{ token: string }>("/applications", { name })).body.token;
    const token = await create("older");
    doomed = await create("doomed");
    chats = `/applications/${token}/chats`;
  });

  after(async () => {
    await sluice.stop();
    await redis.close();
  });

  /** Calls until it is done: while Redis starts, the answer is 503. */
  async function done<T>(method: string, path: string, body?: object): Promise<T> {
    const text = body && JSON.stringify(body);
    const answer = await waitFor(
      async () => {
        const { status, body: answered } = await sluice.client.send<T>(method, `${chats}${path}`, text);
        return status < 300 && { answered };
      },
      { what: `${method} ${path} to be done` },
    );
    return answer.answered;
  }

  const post = (path: string, body?: object) => done<{ number: number }>("POST", path, body);
  const change = (path: string, body: string) => done("PATCH", path, { body });
  const remove = (path: string) => done("DELETE", path);
  const bodyOf = async (path: string) => (await done<{ body: string }>("GET", path)).body;
  const statusOf = async (path: string) => (await sluice.client.get(`${chats}${path}`)).status;
  const endFlusher = () => sluice.flusher.end("SIGTERM");
  const drained = () => untilDrained(sluice.workspace);

  /** The bodies in MySQL, by chat and number. */
  async function stored(): Promise<Record<string, string>> {
    const rows: { chat_number: number; number: number; body: string }[] = await sluice.workspace
      .sql("messages")
      .select("chat_number", "number", "body");
    return Object.fromEntries(rows.map((row) => [`${row.chat_number}/${row.number}`, row.body]));
  }

  /** Leaves a copy in which all but the first message is pending. */
  async function saveCopy(): Promise<void> {
    await post("");
    await post("");
    await post("/1/messages", { body: "stored" });
    await drained();
    await endFlusher();
    await change("/1/messages/1", "changed before the copy");
    await post("/1/messages", { body: "kept" });
    await post("/1/messages", { body: "deleted" });
    await post("/1/messages", { body: "to be changed" });
    await post("/2/messages", { body: "beneath a deleted chat" });
    await post("");
    await post("/3/messages", { body: "in a deleted chat that was pending" });
    await sluice.client.post(`/applications/${doomed}/chats`);
    await redis.stop();
    redis.saveData();
    await redis.start();
  }

  /** Lets MySQL have more than the copy knows of. */
  async function goOn(): Promise<void> {
    await sluice.startAnotherFlusher();
    await drained();
    await change("/1/messages/1", "changed after the copy");
    await remove("/1/messages/3");
    await change("/1/messages/4", "changed after the copy");
    await remove("/2");
    await remove("/3");
    expect((await sluice.client.send("DELETE", `/applications/${doomed}`)).status).to.equal(200);
    await drained();
    expect(await stored()).to.deep.equal({
      "1/1": "changed after the copy",
      "1/2": "kept",
      "1/4": "changed after the copy",
    });
    await endFlusher();
  }

  async function putCopyBack(): Promise<void> {
    await redis.stop();
    redis.putDataBack();
    await redis.start();
  }

  it("brings back what was pending and deleted since, leaves nothing beneath what is gone, writes nothing twice, and takes back no change", async () => {
    await saveCopy();
    await goOn();
    await putCopyBack();
    // Until the next flush readers see what was pending in the copy.
    expect(await bodyOf("/1/messages/1")).to.equal("changed before the copy");
    expect(await bodyOf("/1/messages/3")).to.equal("deleted");

    await sluice.startAnotherFlusher();
    await drained();
    expect(await stored()).to.deep.equal({
      "1/1": "changed after the copy",
      "1/2": "kept",
      "1/3": "deleted",
      "1/4": "changed after the copy",
      "3/1": "in a deleted chat that was pending",
    });
    for (const number of [1, 4])
      expect(await bodyOf(`/1/messages/${number}`)).to.equal("changed after the copy");
    expect(await bodyOf("/1/messages/3")).to.equal("deleted");
    for (const path of ["/2", "/2/messages", "/2/messages/1"]) expect(await statusOf(path)).to.equal(404);
    expect(await bodyOf("/3/messages/1")).to.equal("in a deleted chat that was pending");
    expect(await sluice.workspace.sql("chats").where({ application_token: doomed })).to.deep.equal([]);
    expect((await post("/1/messages", { body: "after" })).number).to.be.above(4 + gap);
    expect(await repeatedOperationIds(sluice.workspace)).to.deep.equal([]);
    expect(await sluice.metric("sluice_number_conflicts_total")).to.equal(0);
  });
});
