import { expect } from "chai";

import { Client } from "../support/client.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { type SluiceProcess, startApi, startFlusher } from "../support/sluice-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const bound = 500;
const asked = 800;
const clients = 32;

describe("A buffer that fills while MySQL is down", function () {
  this.timeout(120_000);

  let database: PrivateEngine;
  let workspace: Workspace;
  let api: { process: SluiceProcess; url: string };
  let flusher: SluiceProcess;
  let client: Client;

  before(async () => {
    database = await PrivateEngine.start("database");
    workspace = await openWorkspace({
      ...database.env,
      BUFFER_MAX_RECORDS: String(bound),
      CHAT_QUEUE_THRESHOLD: "1",
      MESSAGE_QUEUE_THRESHOLD: "1",
    });
    api = await startApi(workspace.env);
    flusher = await startFlusher(workspace.env);
    client = new Client(api.url);
  });

  after(async () => {
    client.close();
    await api.process.end("SIGTERM");
    await flusher.end("SIGTERM");
    await workspace.close();
    await database.close();
  });

  async function pending(): Promise<number> {
    const { body } = await client.get<string>("/metrics");
    return Number(/^sluice_buffer_records\{list="messages"\} (\d+)$/m.exec(body)?.[1]);
  }

  async function stored(): Promise<Map<number, string>> {
    const rows = (await workspace.sql("messages").select("number", "body").orderBy("number")) as {
      number: number;
      body: string;
    }[];
    return new Map(rows.map(({ number, body }) => [number, body]));
  }

  it("answers 503 at its bound and gives no number, then lands just what it accepted", async () => {
    const { token } = (await client.post<{ token: string }>("/applications", { name: "full" })).body;
    await client.post(`/applications/${token}/chats`);
    const path = `/applications/${token}/chats/1/messages`;
    await client.post(path, { body: "first" });
    await waitFor(async () => (await stored()).size === 1, { what: "the first message", timeoutMs: 75_000 });
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
    expect(await pending()).to.equal(bound);

    await database.start();
    const late = await waitFor(
      async () => {
        const answer = await client.post<{ number: number }>(path, { body: "late" });
        return answer.status === 201 && answer.body.number;
      },
      { what: "room in the buffer", timeoutMs: 75_000 },
    );
    accepted.set(late, "late");
    await waitFor(async () => (await stored()).size === accepted.size, {
      what: "everything in MySQL",
      timeoutMs: 75_000,
    });
    const inOrder = [...accepted].sort(([a], [b]) => a - b);
    expect([...(await stored())]).to.deep.equal(inOrder);
    expect(inOrder.map(([number]) => number)).to.deep.equal(inOrder.map((_, at) => at + 1));
  });
});
