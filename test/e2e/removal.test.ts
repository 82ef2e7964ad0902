import { expect } from "chai";

import { RunningSluice } from "../support/running-sluice.ts";
import { waitFor } from "../support/wait-for.ts";

const million = 1_000_000;
const chats = 10;
const rowsAtOnce = 10_000;
/** Far beyond what a request takes on a busy machine, and far below what the removal takes. */
const promptMs = 10_000;

describe("Deleting an application with a million messages", function () {
  this.timeout(600_000);

  let sluice: RunningSluice;

  before(async () => {
    sluice = await RunningSluice.start({ CHAT_QUEUE_THRESHOLD: "1" });
  });

  after(async () => {
    await sluice.stop();
  });

  async function createApplication(): Promise<string> {
    const { body } = await sluice.client.post<{ token: string }>("/applications", { name: "large" });
    for (let chat = 1; chat <= chats; chat += 1)
      await sluice.client.post(`/applications/${body.token}/chats`);
    return body.token;
  }

  /** Straight into the table: what is measured here is the removal. */
  async function fill(token: string): Promise<void> {
    for (let first = 1; first <= million / chats; first += rowsAtOnce / chats) {
      const rows: string[] = [];
      for (let chat = 1; chat <= chats; chat += 1) {
        for (let number = first; number < first + rowsAtOnce / chats; number += 1) {
          rows.push(
            `('${token}',${chat},${number},'a message','operation0000000','2026-01-01','2026-01-01')`,
          );
        }
      }
      await sluice.workspace.sql.raw(
        `insert into messages (application_token, chat_number, number, body, operation_id, created_at, updated_at)
         values ${rows.join(",")}`,
      );
    }
  }

  async function rowsLeft(token: string): Promise<number> {
    const rows = await sluice.workspace
      .sql("messages")
      .where("application_token", token)
      .count({ count: "*" });
    return Number(rows[0]?.count);
  }

  it("answers at once, leaves others alone, and is finished by another flusher after a kill", async () => {
    const { client, workspace } = sluice;
    const [token, other] = [await createApplication(), await createApplication()];
    await waitFor(
      async () => (await workspace.sql("chats").where("application_token", token)).length === chats,
      { what: "the chats in MySQL" },
    );
    await fill(token);

    const askedAtMs = performance.now();
    const { status } = await client.send("DELETE", `/applications/${token}`);
    expect(status).to.equal(200);
    expect(performance.now() - askedAtMs).to.be.below(promptMs);
    expect(await rowsLeft(token)).to.be.above(0);
    for (const path of ["", "/chats", "/chats/1", "/chats/1/messages", "/chats/1/messages/1"]) {
      expect((await client.get(`/applications/${token}${path}`)).status).to.equal(404);
    }
    expect((await client.post(`/applications/${token}/chats/1/messages`, { body: "late" })).status).to.equal(
      404,
    );

    await waitFor(async () => (await rowsLeft(token)) < million * 0.9, { what: "some rows to go" });
    await sluice.flusher.end("SIGKILL");
    expect(await rowsLeft(token)).to.be.above(0);
    await sluice.startAnotherFlusher();

    let slowestMs = 0;
    for (let left = million; left > 0; left = await rowsLeft(token)) {
      const postedAtMs = performance.now();
      const posted = await client.post(`/applications/${other}/chats/1/messages`, { body: "meanwhile" });
      expect(posted.status).to.equal(201);
      slowestMs = Math.max(slowestMs, performance.now() - postedAtMs);
    }
    expect(slowestMs).to.be.below(promptMs);
    await waitFor(async () => (await workspace.sql("removals").whereNull("finished_at")).length === 0, {
      what: "the end of the removal",
    });
    expect(await workspace.sql("chats").where("application_token", token)).to.deep.equal([]);
  });
});
