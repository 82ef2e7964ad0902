import { expect } from "chai";

import { migrate } from "../../src/store/migrate.ts";
import { RunningSluice } from "../support/running-sluice.ts";
import { waitFor } from "../support/wait-for.ts";

describe("A database that the next version has migrated already", () => {
  let sluice: RunningSluice;

  before(async () => {
    sluice = await RunningSluice.start();
    const { sql } = sluice.workspace;
    for (const table of ["applications", "chats", "messages", "partitions", "settings"]) {
      await sql.raw("alter table ?? add column of_the_next_version varchar(10) null", [table]);
    }
    await sql("knex_migrations").insert({ name: "9999_of_the_next_version", batch: 99 });
  });
  after(() => sluice.stop());

  it("serves this one, which accepts and flushes as before", async () => {
    const { client, workspace } = sluice;
    const { body } = await client.post<{ token: string }>("/applications", { name: "a" });
    const chats = `/applications/${body.token}/chats`;
    expect((await client.post(chats, {})).status).to.equal(201);
    expect((await client.post(`${chats}/1/messages`, { body: "text" })).status).to.equal(201);
    await waitFor(async () => (await workspace.sql("messages").select("body")).length === 1, {
      what: "the message in MySQL",
    });
  });

  it("is up to date for this one's migrate", async () => {
    expect(await migrate(sluice.workspace.migrated)).to.deep.equal([]);
  });
});
