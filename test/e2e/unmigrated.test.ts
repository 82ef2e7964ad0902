import { expect } from "chai";

import type { Check } from "../../src/ops/engine-check.ts";
import { Client } from "../support/client.ts";
import { runCommand } from "../support/sluice-command.ts";
import { type SluiceProcess, startApi, startFlusher } from "../support/sluice-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

interface Readiness {
  readonly status: string;
  readonly checks: readonly Check[];
}

describe("Before the database was migrated", () => {
  let workspace: Workspace;
  let name: string;
  let env: NodeJS.ProcessEnv;
  let api: SluiceProcess;
  let flusher: SluiceProcess;
  let client: Client;

  beforeEach(async () => {
    workspace = await openWorkspace({ FLUSH_CRON: "* * * * * *" });
    name = workspace.config.database.name;
    env = workspace.env;
  });

  afterEach(async () => {
    client.close();
    await Promise.all([api.end("SIGTERM"), flusher.end("SIGTERM")]);
    await workspace.close();
  });

  async function start(): Promise<void> {
    const [started, another] = await Promise.all([startApi(env), startFlusher(env)]);
    [api, flusher, client] = [started.process, another, new Client(started.url)];
  }

  const cases: readonly (readonly [what: string, sql: readonly string[]])[] = [
    ["is not there", ["drop database ??"]],
    ["is empty", ["drop database ??", "create database ??"]],
    [
      "an older program has migrated",
      [
        "delete from ??.knex_migrations order by id desc limit 1",
        "alter table ??.removals drop column finished_at",
      ],
    ],
  ];

  for (const [what, statements] of cases) {
    it(`a process is not ready, says so, and works once it was: a database that ${what}`, async () => {
      for (const statement of statements) await workspace.sql.raw(statement, [name]);
      // A connection whose database was dropped has none, also where there is one again.
      await workspace.sql.destroy();
      workspace.sql.initialize();
      await start();
      const { status, body } = await client.get<Readiness>("/readyz");
      const database = body.checks.find((check) => check.name === "database");
      expect([status, body.status, database?.ready]).to.deep.equal([503, "not ready", false]);
      expect(database?.detail).to.match(/^is not migrated/);
      expect((await runCommand(["status"], env)).lines.join("\n")).to.include("Run sluice migrate");
      if (what !== "an older program has migrated") {
        for (const answer of [
          await client.post("/applications", { name: "early" }),
          await client.get("/applications/early"),
          await client.post("/applications/early/chats"),
        ]) {
          expect(answer.status).to.equal(503);
          expect(answer.body).to.include({ code: "database_unavailable" });
          expect(Number(answer.headers["retry-after"])).to.be.at.least(1);
        }
      }

      expect(await runCommand(["migrate"], env)).to.deep.include({ code: 0 });
      expect((await client.get("/readyz")).status).to.equal(200);
      const { token } = (await client.post<{ token: string }>("/applications", { name: "x" })).body;
      expect((await client.post(`/applications/${token}/chats`, { title: "x" })).status).to.equal(201);
      const rows = () => workspace.sql("chats").where({ application_token: token }).pluck("number");
      await waitFor(async () => (await rows()).length === 1, { what: "the chat to be flushed" });
    });
  }
});
