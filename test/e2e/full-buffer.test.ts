import { expect } from "chai";

import { PrivateEngine } from "../support/private-engines.ts";
import { RunningSluice } from "../support/running-sluice.ts";
import { waitFor } from "../support/wait-for.ts";

const bound = 500;
const asked = 800;
const clients = 32;

describe("A buffer that fills while MySQL is down", () => {
  let database: PrivateEngine;
  let sluice: RunningSluice;

  before(async () => {
    database = await PrivateEngine.start("database");
    sluice = await RunningSluice.start({
      ...database.env,
      BUFFER_MAX_RECORDS: String(bound),
      CHAT_QUEUE_THRESHOLD: "1",
      MESSAGE_QUEUE_THRESHOLD: "1",
    });
  });

  after(async () => {
    await sluice.stop();
    await database.close();
  });

  const pending = (list: "chats" | "messages") => sluice.metric(`sluice_buffer_records{list="${list}"}`);

  async function stored(): Promise<Map<number, string>> {
    const rows = (await sluice.workspace.sql("messages").select("number", "body").orderBy("number")) as {
      number: number;
      body: string;
    }[];
    return new Map(rows.map(({ number, body }) => [number, body]));
  }

  it("answers 503 at its bound and gives no number, then lands just what it accepted", async () => {
    const { client } = sluice;
    const { token } = (await client.post<{ token: string }>("/applications", { name: "full" })).body;
    await client.post(`/applications/${token}/chats`);
    const path = `/applications/${token}/chats/1/messages`;
    await client.post(path, { body: "first" });
    await waitFor(async () => (await stored()).size === 1, { what: "the first message" });
    // What is stored is pending for a moment more, and would take its room.
    await waitFor(async () => (await pending("messages")) + (await pending("chats")) === 0, {
      what: "an empty buffer",
    });
    await database.stop();

    const accepted = new Map([[1, "first"]]);
    let refused = 0;
    let next = 0;
    async function work(): Promise<void> {
      for (let at = next++; at < asked; at = next++) {
        const body = `message ${at}`;
        const answer = await client.post<{ number: number; code: string }>(path, { body });
        if (answer.status === 201) accepted.set(answer.body.number, body);
        else {
          expect(answer.status).to.equal(503);
          expect(answer.body.code).to.equal("buffer_full");
          expect(Number(answer.headers["retry-after"])).to.be.above(0);
          refused += 1;
        }
      }
    }
    await Promise.all(Array.from({ length: clients }, work));
    expect(refused).to.equal(asked - bound);
    expect(await pending("messages")).to.equal(bound);

    await database.start();
    const late = await waitFor(
      async () => {
        const answer = await client.post<{ number: number }>(path, { body: "late" });
        return answer.status === 201 && answer.body.number;
      },
      { what: "room in the buffer" },
    );
    accepted.set(late, "late");
    await waitFor(async () => (await stored()).size === accepted.size, {
      what: "everything in MySQL",
    });
    const inOrder = [...accepted].sort(([a], [b]) => a - b);
    expect([...(await stored())]).to.deep.equal(inOrder);
    expect(inOrder.map(([number]) => number)).to.deep.equal(inOrder.map((_, at) => at + 1));
  });
});
