import { expect } from "chai";

import { type Answer, Client } from "../support/client.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { type SluiceProcess, startApi } from "../support/sluice-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

/** Twice as many as a process has connections for anything. */
const writers = 28;

describe("While MySQL is read-locked as for a backup", () => {
  let engine: PrivateEngine;
  let workspace: Workspace;
  let api: SluiceProcess;
  let client: Client;

  before(async () => {
    engine = await PrivateEngine.start("database");
    workspace = await openWorkspace(engine.env);
    const started = await startApi(workspace.env);
    [api, client] = [started.process, new Client(started.url)];
  });

  after(async () => {
    client.close();
    await api.end("SIGTERM");
    await workspace.close();
    await engine.close();
  });

  it("those who create applications wait, are refused with 503, and keep no reader waiting", async () => {
    const create = () => client.post<{ token: string }>("/applications", { name: "x" });
    const { token } = (await create()).body;
    const read: number[] = [];
    let answers: readonly Answer<unknown>[] = [];
    await workspace.sql.transaction(async (holder) => {
      await holder.raw("flush tables with read lock");
      const creating = Promise.all(Array.from({ length: writers }, create));
      void creating.then((all) => (answers = all));
      while (answers.length === 0) {
        read.push((await client.get(`/applications/${token}`)).status);
        read.push((await client.get(`/applications/${token}/chats`)).status);
      }
      await holder.raw("unlock tables");
    });
    expect(read.length).to.be.above(writers);
    expect(new Set(read)).to.deep.equal(new Set([200]));
    expect(answers.map(({ status }) => status)).to.include(503);
    for (const { status, headers, body } of answers) {
      if (status === 201) continue;
      expect([status, Number(headers["retry-after"]) >= 1]).to.deep.equal([503, true]);
      expect(body).to.include({ code: "database_unavailable" });
    }
    await waitFor(async () => (await create()).status === 201, { what: "an application to be created" });
  });
});
