import { expect } from "chai";

import { openStore, type Store } from "../../src/store/store.ts";
import type { Answer, Client } from "../support/client.ts";
import { untilDrained } from "../support/kept.ts";
import { RunningSluice } from "../support/running-sluice.ts";

type Ask = (client: Client, application: string) => Promise<Answer<unknown>>;

/** Each a way to be told that an application is not there. */
const asking: Readonly<Record<string, Ask>> = {
  "that reads it": (client, application) => client.send("GET", application),
  "that renames it": (client, application) => client.send("PATCH", application, '{"name":"another"}'),
  "that deletes it again": (client, application) => client.send("DELETE", application),
  "that lists its chats": (client, application) => client.send("GET", `${application}/chats`),
  "that reads its chat": (client, application) => client.send("GET", `${application}/chats/1`),
  "that lists the messages of its chat": (client, application) =>
    client.send("GET", `${application}/chats/1/messages`),
  "that posts to a chat of it that Redis does not know": (client, application) =>
    client.send("POST", `${application}/chats/9/messages`, '{"body":"to nobody"}'),
};

describe("An application whose deletion came no further than MySQL", function () {
  this.timeout(120_000);

  let sluice: RunningSluice;
  let store: Store;
  const applications = new Map<string, string>();

  before(async () => {
    sluice = await RunningSluice.start();
    store = openStore(sluice.workspace.config.database, "writing");
    for (const who of Object.keys(asking)) applications.set(who, await makeApplication());
    await untilDrained(sluice.workspace);
    // It would finish what is half done.
    await sluice.flusher.end("SIGTERM");
  });

  after(async () => {
    await store.close();
    await sluice.stop();
  });

  /** With a chat that has a message; answers its token. */
  async function makeApplication(): Promise<string> {
    const { token } = (await sluice.client.post<{ token: string }>("/applications", { name: "halved" })).body;
    await sluice.client.post(`/applications/${token}/chats`, {});
    expect(await postTo(`/applications/${token}`)).to.equal(201);
    return token;
  }

  async function postTo(application: string): Promise<number> {
    const { status } = await sluice.client.post(`${application}/chats/1/messages`, { body: "accepted?" });
    return status;
  }

  for (const [who, ask] of Object.entries(asking))
    it(`accepts nothing beneath it any more once one client was told that it is not there: one ${who}`, async () => {
      const token = applications.get(who) ?? "";
      const application = `/applications/${token}`;
      // As a process does that dies before it has told Redis.
      await store.applications.delete(token);
      expect((await ask(sluice.client, application)).status).to.equal(404);
      expect(await postTo(application)).to.equal(404);
      expect((await sluice.client.post(`${application}/chats`, {})).status).to.equal(404);
    });
});
