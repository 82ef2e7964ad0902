import { expect } from "chai";

import { PrivateEngine } from "../support/private-engines.ts";
import { RunningSluice } from "../support/running-sluice.ts";
import { runCommand } from "../support/sluice-command.ts";
import { waitFor } from "../support/wait-for.ts";

describe("A partition that does not get on", () => {
  let redis: PrivateEngine;
  let database: PrivateEngine;
  let sluice: RunningSluice;

  before(async () => {
    [redis, database] = await Promise.all([PrivateEngine.start("redis"), PrivateEngine.start("database")]);
    sluice = await RunningSluice.start({ ...redis.env, ...database.env });
  });

  after(async () => {
    await sluice.stop();
    await Promise.all([redis.close(), database.close()]);
  });

  async function verdict(): Promise<{ first: string; all: string }> {
    const { lines } = await runCommand(["status"], sluice.workspace.env);
    return { first: lines[0] ?? "", all: lines.join("\n") };
  }

  it("is never well, whatever holds it up, and its flusher says what it met", async () => {
    const { client, workspace } = sluice;
    const { token } = (await client.post<{ token: string }>("/applications", { name: "stalled" })).body;
    await client.post(`/applications/${token}/chats`, {});
    const path = `/applications/${token}/chats/1/messages`;
    expect((await client.post(path, { body: "first" })).status).to.equal(201);
    const stored = async () => ((await workspace.sql("messages").select("number")) as unknown[]).length;
    await waitFor(async () => (await stored()) === 1, { what: "the first message" });

    // MySQL answers, and takes no row.
    await workspace.sql.raw("alter table messages rename column body to text");
    for (let nth = 0; nth < 10; nth += 1) await client.post(path, { body: "waits" });
    const { all } = await waitFor(
      async () => {
        const found = await verdict();
        return !found.first.includes("all is well") && found;
      },
      { what: "another verdict" },
    );
    expect(all).to.match(
      /In partition 0 10 records wait and nothing was flushed for \d+(\.\d)? s\. Flusher .*MySQL 1054: Unknown column/,
    );
    expect(await sluice.metric("sluice_buffer_stalled_seconds")).to.be.above(5);

    await workspace.sql.raw("alter table messages rename column text to body");
    await waitFor(async () => (await stored()) === 11, { what: "all messages in MySQL" });
    await waitFor(async () => (await verdict()).first.includes("all is well"), { what: "all to be well" });
    expect(await sluice.metric("sluice_buffer_stalled_seconds")).to.equal(0);
  });
});
