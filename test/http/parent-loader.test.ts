import { expect } from "chai";

import type { Buffer } from "../../src/buffer/buffer.ts";
import { EpochGuard } from "../../src/epoch-guard.ts";
import { createAcceptor } from "../../src/http/accept.ts";
import { createChanger } from "../../src/http/change.ts";
import { createReader } from "../../src/http/read-after-write.ts";
import type { Acceptor } from "../../src/http/services.ts";
import { openPool } from "../../src/store/connection.ts";
import { openStore, Store } from "../../src/store/store.ts";
import { openTestBuffer } from "../support/buffers.ts";
import { FaultProxy } from "../support/fault-proxy.ts";
import { Flushing } from "../support/flushing.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";
import { said } from "../support/said.ts";

const token = "application";
const another = "another";

const failureOf = (call: Promise<unknown>): Promise<{ status?: number; code?: string }> =>
  call.then(
    () => ({ status: 201 }),
    (error: unknown) => error as { status?: number; code?: string },
  );
const statusOf = async (call: Promise<unknown>) => (await failureOf(call)).status;

describe("A POST to a chat", () => {
  let database: PrivateEngine;
  let proxy: FaultProxy;
  let workspace: Workspace;
  let buffer: Buffer;
  /** Of the acceptor, whose look into MySQL can be held up, and of all else. */
  let slow: Store;
  let store: Store;
  let accept: Acceptor;
  let queries: number;

  before(async () => {
    database = await PrivateEngine.start("database");
    proxy = await FaultProxy.to(database.port);
  });

  beforeEach(async () => {
    workspace = await openWorkspace(database.env);
    buffer = await openTestBuffer(workspace, "requests");
    const pool = openPool({ ...workspace.config.database, port: proxy.port }, "requests");
    pool.on("query", () => (queries += 1));
    slow = new Store(pool);
    store = openStore(workspace.config.database, "writing");
    for (const each of [token, another]) {
      const at = new Date();
      await store.applications.create(
        { token: each, name: "asked", chatsCount: 0, createdAt: at, updatedAt: at },
        0,
      );
    }
    const epochs = new EpochGuard(buffer, slow, () => undefined);
    await epochs.verify(0);
    accept = createAcceptor(buffer, slow, epochs);
    await accept.chat(token, said("one"));
  });

  afterEach(async () => {
    buffer.close();
    await slow.close();
    await store.close();
    await workspace.close();
  });

  after(async () => {
    await proxy.close();
    await database.close();
  });

  /** A load of a chat that has come as far as MySQL's answer. */
  async function beginLoad(chatNumber: number) {
    const answer = proxy.withholdAnswerTo("as `mark` from `chats`");
    const early = statusOf(accept.message(token, chatNumber, said("too early")));
    await answer.begun;
    return { answer, early };
  }

  /** What is handed over before it in the same turn has its reply, and acts on it, when this has its own. */
  const untilReplied = () => accept.chat(token, said("afterwards"));

  it("that others ask MySQL for in vain finds it where it was answered 201 before", async () => {
    const { answer, early } = await beginLoad(2);
    expect(await accept.chat(token, said("two"))).to.include({ number: 2 });
    await (
      await Flushing.begin(buffer, store)
    )
      .drain({ thresholds: { chats: 10, messages: 10 }, maxRows: 1000 })
      .run("minute");
    const late = accept.message(token, 2, said("after the 201"));
    await untilReplied();
    answer.release();
    expect(await late).to.include({ number: 1 });
    expect(await early).to.equal(404);
  });

  it("that others ask MySQL for in vain costs all of them one look more where there is none", async () => {
    queries = 0;
    expect(await statusOf(accept.message(token, 8, said("to nobody")))).to.equal(404);
    const ofOneLook = queries;
    const { answer, early } = await beginLoad(9);
    const crowd = Array.from({ length: 200 }, () => statusOf(accept.message(token, 9, said("to nobody"))));
    await untilReplied();
    answer.release();
    expect(new Set(await Promise.all([early, ...crowd]))).to.deep.equal(new Set([404]));
    expect(queries).to.equal(3 * ofOneLook);
  });

  it("that was deleted is told so, and of its application where that was, also while MySQL is away", async () => {
    const change = createChanger(buffer, store, createReader(buffer, store));
    await accept.chat(another, said("one"));
    await change.deleteChat(token, 1);
    await change.deleteApplication(another);
    const codes = async () => {
      const failures = [
        failureOf(accept.message(token, 1, said("late"))),
        failureOf(accept.message(another, 1, said("late"))),
        failureOf(accept.chat(another, said("late"))),
      ];
      return (await Promise.all(failures)).map(({ code }) => code);
    };
    const expected = ["chat_not_found", "application_not_found", "application_not_found"];
    expect(await codes()).to.deep.equal(expected);
    await database.stop();
    try {
      expect(await codes()).to.deep.equal(expected);
    } finally {
      await database.start();
    }
  });
});
