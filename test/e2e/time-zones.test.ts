import { expect } from "chai";

import { untilDrained } from "../support/kept.ts";
import { Client } from "../support/client.ts";
import { type SluiceProcess, startApi, startFlusher } from "../support/sluice-process.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const west = "America/New_York";
const east = "Asia/Kolkata";

interface Times {
  readonly created_at: string;
  readonly updated_at: string;
}

describe("Processes under time zones west and east of UTC", () => {
  let workspace: Workspace;
  let processes: SluiceProcess[];
  let clients: Client[];

  before(async () => {
    workspace = await openWorkspace({ FLUSH_CRON: "* * * * * *" });
    const inZone = (TZ: string) => ({ ...workspace.env, TZ });
    const [western, eastern, flusher] = await Promise.all([
      startApi(inZone(west)),
      startApi(inZone(east)),
      startFlusher(inZone(east)),
    ]);
    processes = [western.process, eastern.process, flusher];
    clients = [new Client(western.url), new Client(eastern.url)];
  });

  after(async () => {
    for (const client of clients) client.close();
    await Promise.all(processes.map((process) => process.end("SIGTERM")));
    await workspace.close();
  });

  /** Makes an application, a chat and a message, and changes each of them; answers their paths. */
  async function makeAll(client: Client): Promise<Record<"applications" | "chats" | "messages", string>> {
    const { token } = (await client.post<{ token: string }>("/applications", { name: "zones" })).body;
    const applications = `/applications/${token}`;
    await client.post(`${applications}/chats`, { title: "zones" });
    await client.post(`${applications}/chats/1/messages`, { body: "zones" });
    const paths = {
      applications,
      chats: `${applications}/chats/1`,
      messages: `${applications}/chats/1/messages/1`,
    };
    await client.send("PATCH", paths.applications, JSON.stringify({ name: "changed" }));
    return paths;
  }

  function clientOf(at: number): Client {
    const client = clients[at];
    if (!client) throw new Error(`there is no API ${at}`);
    return client;
  }

  async function timesAt(client: Client, path: string): Promise<Times> {
    const { created_at, updated_at } = (await client.get<Times>(path)).body;
    return { created_at, updated_at };
  }

  /** What the row holds, as text: no driver has turned it into a time. */
  async function storedTimes(table: string, token: string): Promise<Times> {
    const column = table === "applications" ? "token" : "application_token";
    const text = (name: string) => workspace.sql.raw(`cast(?? as char) as ??`, [name, name]);
    const row: Times | undefined = await workspace
      .sql(table)
      .where(column, token)
      .first(text("created_at"), text("updated_at"));
    if (!row) throw new Error(`there is no row in ${table}`);
    const inUtc = (time: string) => `${time.replace(" ", "T")}Z`;
    return { created_at: inUtc(row.created_at), updated_at: inUtc(row.updated_at) };
  }

  for (const [at, zone] of [west, east].entries()) {
    it(`give back to the millisecond, and store in UTC, what an API under ${zone} took`, async () => {
      const client = clientOf(at);
      const earliestMs = Date.now();
      const paths = await makeAll(client);
      const token = paths.applications.split("/")[2] ?? "";
      const latestMs = Date.now();

      const before = new Map<string, Times>();
      for (const [table, path] of Object.entries(paths)) before.set(table, await timesAt(client, path));
      for (const { created_at, updated_at } of before.values()) {
        expect(Date.parse(created_at)).to.be.within(earliestMs, latestMs);
        expect(Date.parse(updated_at)).to.be.within(Date.parse(created_at), latestMs);
      }
      await untilDrained(workspace);
      for (const [table, path] of Object.entries(paths)) {
        expect(await storedTimes(table, token)).to.deep.equal(before.get(table));
        for (const reader of clients) expect(await timesAt(reader, path)).to.deep.equal(before.get(table));
      }
    });

    it(`do so also with a change that an API under ${zone} took of what was stored`, async () => {
      const client = clientOf(at);
      const { messages, applications } = await makeAll(client);
      const first = await timesAt(client, messages);
      await untilDrained(workspace);
      const earliestMs = Date.now();
      await client.send("PATCH", messages, JSON.stringify({ body: "changed" }));
      const changed = await timesAt(client, messages);
      expect(changed.created_at).to.equal(first.created_at);
      expect(Date.parse(changed.updated_at)).to.be.within(earliestMs, Date.now());
      await untilDrained(workspace);
      expect(await storedTimes("messages", applications.split("/")[2] ?? "")).to.deep.equal(changed);
      for (const reader of clients) expect(await timesAt(reader, messages)).to.deep.equal(changed);
    });
  }
});
