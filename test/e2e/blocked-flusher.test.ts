import { expect } from "chai";
import type { Knex } from "knex";

import { Keys } from "../../src/buffer/keys.ts";
import { leftInRedis, repeatedOperationIds, untilDrained } from "../support/kept.ts";
import { RunningSluice } from "../support/running-sluice.ts";
import { type SluiceProcess, startFlusher } from "../support/sluice-process.ts";
import { waitFor } from "../support/wait-for.ts";

const draining = "draining this partition";

describe("A flusher whose event loop is blocked for longer than its lease", () => {
  let sluice: RunningSluice;
  let other: SluiceProcess | undefined;
  let inTheWay: Knex.Transaction | undefined;
  let token: string;
  let messages: string;

  before(async () => {
    sluice = await RunningSluice.start();
    const { client } = sluice;
    token = (await client.post<{ token: string }>("/applications", { name: "blocked" })).body.token;
    await client.post(`/applications/${token}/chats`);
    messages = `/applications/${token}/chats/1/messages`;
    await untilDrained(sluice.workspace);
  });

  after(async () => {
    sluice.flusher.child.kill("SIGCONT");
    if (!inTheWay?.isCompleted()) await inTheWay?.rollback();
    await other?.end("SIGTERM");
    await sluice.stop();
  });

  async function postTwelve(): Promise<void> {
    for (let at = 1; at <= 12; at += 1) await sluice.client.post(messages, { body: `message ${at}` });
  }

  /** Holds the key of the first message, so that who writes it waits until this is rolled back. */
  async function holdFirst(): Promise<Knex.Transaction> {
    const transaction = await sluice.workspace.sql.transaction();
    const time = new Date();
    await transaction("messages").insert({
      application_token: token,
      chat_number: 1,
      number: 1,
      body: "in the way",
      operation_id: "in-the-way",
      created_at: time,
      updated_at: time,
    });
    return transaction;
  }

  /** The INSERTs of messages that MySQL is carrying out. */
  async function inserts(): Promise<number> {
    const { sql, env } = sluice.workspace;
    const statements = (await sql("information_schema.processlist")
      .where("db", env["DATABASE_NAME"])
      .whereRaw("id <> connection_id()")
      .where("info", "like", "insert into messages%")
      .select("id")) as unknown[];
    return statements.length;
  }

  const untilInserting = (count: number, what: string) =>
    waitFor(async () => (await inserts()) === count, { what });

  const bodies = async () =>
    (await sluice.workspace.sql("messages").orderBy("number").pluck("body")) as string[];
  const timesDraining = () => sluice.flusher.log.filter(({ msg }) => msg === draining).length;

  /** Leaves the flusher stopped, with rows written and not committed, and all it holds locked. */
  async function blockInTheMiddle(): Promise<void> {
    inTheWay = await holdFirst();
    await postTwelve();
    await untilInserting(1, "a write that waits for the first message");
    sluice.flusher.child.kill("SIGSTOP");
    await inTheWay.rollback();
    await untilInserting(0, "the rows to be written");
  }

  it("lets what it had in hand land once, undoes no change made meanwhile, and takes its turn again", async () => {
    await blockInTheMiddle();
    other = await startFlusher(sluice.workspace.env);
    // It would end by itself; here sooner than after ten seconds.
    await sluice.workspace.redis.pexpire(new Keys(sluice.workspace.config.redis.namespace, 1).lease(0), 1);
    await other.logged(draining);
    await untilInserting(1, "the other to wait for the same rows");
    await sluice.client.send("DELETE", `${messages}/1`);
    await sluice.client.send("PATCH", `${messages}/2`, JSON.stringify({ body: "changed" }));

    sluice.flusher.child.kill("SIGCONT");
    await untilDrained(sluice.workspace);
    const rest = Array.from({ length: 10 }, (_, at) => `message ${at + 3}`);
    expect(await bodies()).to.deep.equal(["changed", ...rest]);

    await other.end("SIGTERM");
    await waitFor(() => timesDraining() === 2, { what: "the first to drain again" });
    await postTwelve();
    await untilDrained(sluice.workspace);
    expect(await bodies()).to.have.length(11 + 12);
    expect(await repeatedOperationIds(sluice.workspace)).to.deep.equal([]);
    expect(await leftInRedis(sluice.workspace)).to.deep.equal([]);
    const loud = [...sluice.flusher.log, ...other.log].filter(({ level }) => level === "error");
    expect(loud).to.deep.equal([]);
  });
});
