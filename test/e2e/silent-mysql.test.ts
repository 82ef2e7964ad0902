import { expect } from "chai";

import { leftInRedis, repeatedOperationIds, untilDrained } from "../support/kept.ts";
import { FaultProxy } from "../support/fault-proxy.ts";
import { Client } from "../support/client.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { RunningSluice } from "../support/running-sluice.ts";
import { waitFor } from "../support/wait-for.ts";

/** Some statements of 3 s each, and time for a busy machine: what hangs takes a quarter of an hour. */
const patienceMs = 60_000;

describe("A MySQL that is connected and silent", () => {
  let database: PrivateEngine;
  let network: FaultProxy;
  let sluice: RunningSluice;
  let client: Client;
  let messages: string;
  const accepted = new Map<number, string>();

  before(async () => {
    database = await PrivateEngine.start("database");
    network = await FaultProxy.to(database.port);
    sluice = await RunningSluice.start(database.addressesAt(network.port));
    client = new Client(String((await sluice.api.logged("listening"))["address"]), patienceMs);
    const { token } = (await client.post<{ token: string }>("/applications", { name: "silent" })).body;
    await client.post(`/applications/${token}/chats`);
    messages = `/applications/${token}/chats/1/messages`;
    await post("before");
    await untilDrained(sluice.workspace);
  });

  after(async () => {
    network.heal();
    client.close();
    await sluice.stop();
    await network.close();
    await database.close();
  });

  async function post(body: string): Promise<void> {
    const answer = await client.post<{ number: number }>(messages, { body });
    expect(answer.status).to.equal(201);
    accepted.set(answer.body.number, body);
  }

  async function expectUnavailable(method: string, path: string, body?: string): Promise<void> {
    const answer = await client.send<{ code: string }>(method, path, body);
    expect([answer.status, answer.body.code]).to.deep.equal([503, "database_unavailable"]);
    expect(Number(answer.headers["retry-after"])).to.be.at.least(1);
  }

  /** What needs MySQL, many at a time: on connections that there are, and on those that are made meanwhile. */
  async function expectAllUnavailable(): Promise<void> {
    const calls = [
      ["GET", "/applications"],
      ["POST", "/applications", JSON.stringify({ name: "refused" })],
      ["POST", "/applications/nobody/chats"],
      ["GET", messages],
      ["GET", `${messages}/1`],
    ] as const;
    const many = Array.from({ length: 3 }, () => calls).flat();
    await Promise.all(many.map(([method, path, body]) => expectUnavailable(method, path, body)));
  }

  async function stored(): Promise<Map<number, string>> {
    const rows: { number: number; body: string }[] = await sluice.workspace
      .sql("messages")
      .orderBy("number")
      .select("number", "body");
    return new Map(rows.map(({ number, body }) => [number, body]));
  }

  it("makes the API answer 503 and accept on, and the flusher go on when it speaks again, with all of it once", async () => {
    network.stall();
    for (let at = 1; at <= 20; at += 1) await post(`silence ${at}`);
    await expectAllUnavailable();
    expect((await client.get(`${messages}/21`)).status).to.equal(200);
    expect((await client.get("/readyz")).status).to.equal(200);
    // The statement in hand is given up, though its connection stands.
    await sluice.flusher.logged("flushing waits");
    await post("still accepted");
    await expectAllUnavailable();

    // What was sent into the silence arrives now, late and from nobody.
    network.heal();
    await post("after");
    await untilDrained(sluice.workspace);
    expect(await stored()).to.deep.equal(accepted);
    expect(await repeatedOperationIds(sluice.workspace)).to.deep.equal([]);
    expect(await leftInRedis(sluice.workspace)).to.deep.equal([]);
    await waitFor(async () => (await client.get("/applications")).status === 200, { what: "a list again" });
    const loud = [...sluice.api.log, ...sluice.flusher.log].filter(({ level }) => level === "error");
    expect(loud).to.deep.equal([]);
  });
});
