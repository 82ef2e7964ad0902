import { expect } from "chai";

import type { Buffer } from "../../src/buffer/buffer.ts";
import { leftInRedis, untilDrained } from "../support/kept.ts";
import { openTestBuffer } from "../support/buffers.ts";
import { type Answer, Client } from "../support/client.ts";
import { runCommand } from "../support/sluice-command.ts";
import { type SluiceProcess, startApi, startFlusher } from "../support/sluice-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

type Versioned = "old" | "new";

interface Accepted {
  readonly number: number;
  readonly body: string;
  /** The field that the newer version adds (`support/next-fields.ts`). */
  readonly mood: string | null;
}

/** What a client of either version says beside the text: only the newer one takes it. */
const more = { old: {}, new: { mood: "calm" } };

describe("A rolling upgrade to another form of pending records", () => {
  let workspace: Workspace;
  let buffer: Buffer;
  let apis: Record<Versioned, SluiceProcess>;
  let clients: Record<Versioned, Client>;
  let oldFlusher: SluiceProcess;
  let newFlusher: SluiceProcess | undefined;
  /** A chat of each of the two partitions, and what its messages should be. */
  let mixed: string;
  let untouched: string;
  const expected = new Map<string, Accepted[]>();

  before(async () => {
    workspace = await openWorkspace({ PARTITIONS: "2", FLUSH_CRON: "* * * * * *" });
    // As its migration would.
    await workspace.sql.schema.alterTable("chats", (table) => table.string("topic", 100).nullable());
    await workspace.sql.schema.alterTable("messages", (table) => table.string("mood", 100).nullable());
    buffer = await openTestBuffer(workspace, "draining");
    const [older, newer, flusher] = await Promise.all([
      startApi(workspace.env),
      startApi(workspace.env, "next"),
      startFlusher(workspace.env),
    ]);
    apis = { old: older.process, new: newer.process };
    clients = { old: new Client(older.url), new: new Client(newer.url, 0, () => undefined) };
    oldFlusher = flusher;
    [mixed, untouched] = [await chatIn(0), await chatIn(1)];
  });

  after(async () => {
    Object.values(clients).forEach((client) => {
      client.close();
    });
    await Promise.all(allProcesses().map((process) => process.end("SIGKILL")));
    buffer.close();
    await workspace.close();
  });

  const allProcesses = () => [...Object.values(apis), oldFlusher, ...(newFlusher ? [newFlusher] : [])];

  /** Makes a chat in a partition; answers its path. */
  async function chatIn(partition: number): Promise<string> {
    for (;;) {
      const { body } = await clients.old.post<{ token: string }>("/applications", { name: "upgraded" });
      if (buffer.partitionOf(body.token) !== partition) continue;
      return newChat("old", body.token);
    }
  }

  async function newChat(version: Versioned, token: string): Promise<string> {
    const wanted = version === "new" ? { topic: "weather" } : {};
    const chats = `/applications/${token}/chats`;
    const { status, body } = await clients[version].post<{ number: number }>(chats, wanted);
    expect(status).to.equal(201);
    return `/applications/${token}/chats/${body.number}`;
  }

  const tokenIn = (path: string) => path.split("/")[2] ?? "";

  /** Posts a message and notes what was answered; answers its number. */
  async function post(version: Versioned, chat: string, body: string): Promise<number> {
    const sent = { body, ...more[version] };
    const answer = await clients[version].post<{ number: number }>(`${chat}/messages`, sent);
    expect(answer.status).to.equal(201);
    const { number } = answer.body;
    const mood = version === "new" ? more.new.mood : null;
    expected.set(chat, [...(expected.get(chat) ?? []), { number, body, mood }]);
    return number;
  }

  /** Changes the text of a message, and of no other field, and notes it. */
  async function change(version: Versioned, chat: string, number: number, body: string): Promise<void> {
    const address = `${chat}/messages/${number}`;
    const answer = await clients[version].send("PATCH", address, JSON.stringify({ body }));
    expect(answer.status).to.equal(200);
    const messages = expected.get(chat) ?? [];
    expected.set(
      chat,
      messages.map((message) => (message.number === number ? { ...message, body } : message)),
    );
  }

  const inOrder = (messages: readonly Accepted[] = []) =>
    [...messages].sort((one, other) => one.number - other.number);

  /** The rows of a chat's messages, by number. */
  async function stored(chat: string): Promise<Accepted[]> {
    const [, , token, , number] = chat.split("/");
    const rows: Accepted[] = await workspace
      .sql("messages")
      .where({ application_token: token, chat_number: Number(number) })
      .select("number", "body", "mood");
    return inOrder(rows);
  }

  const untilStored = (chat: string, count: number) =>
    waitFor(async () => (await stored(chat)).length === count, { what: `${count} messages of ${chat}` });

  function expectUpgradeUnderWay({ status, headers, body }: Answer<unknown>): void {
    expect([status, headers["retry-after"]]).to.deep.equal([503, "5"]);
    expect(body).to.have.property("code", "upgrade_under_way");
  }

  const ownedBy = (owner: string | undefined, { child }: SluiceProcess) =>
    owner?.includes(`:${String(child.pid)}#`) === true;

  it("lets the old flusher write up to the first newer record of a partition and leave the rest", async () => {
    await post("old", mixed, "1: old");
    await untilStored(mixed, 1);
    await post("old", mixed, "2: old");
    await post("new", mixed, "3: new");
    await post("new", mixed, "4: new");
    await post("old", mixed, "5: old");
    await untilStored(mixed, 2);
    await oldFlusher.logged(
      "records of another version of Sluice wait here: they are left to a flusher that can read them",
    );
    const waiting = async () => (await buffer.totals.read(0)).pending;
    expect(await waiting()).to.deep.equal({ chats: 0, messages: 3 });
    const saysSo = /Records of another version of Sluice wait in 1 partition: flusher .* leaves them alone/;
    await waitFor(
      async () => (await runCommand(["status"], workspace.env)).lines.some((line) => saysSo.test(line)),
      { what: "the status to say that the flusher stands back" },
    );
    const isLeft = async () => (await buffer.leases.owners(2))[0] === undefined;
    await waitFor(isLeft, { what: "the lease of the partition to be given back" });
  });

  it("lets the old flusher go on with partitions that have none", async () => {
    await post("old", untouched, "1: old");
    await untilStored(untouched, 1);
    expect(ownedBy((await buffer.leases.owners(2))[1], oldFlusher)).to.equal(true);
  });

  it("makes the old API answer 503 for newer records, in lists and searches as well, and for no others", async () => {
    const { old } = clients;
    for (const path of [`${mixed}/messages/3`, `${mixed}/messages`, `${mixed}/messages?after=0`]) {
      expectUpgradeUnderWay(await old.get(path));
    }
    expectUpgradeUnderWay(await old.get(`${mixed}/messages/search?query=old`));
    expectUpgradeUnderWay(
      await old.send("PATCH", `${mixed}/messages/3`, JSON.stringify({ body: "changed" })),
    );
    expectUpgradeUnderWay(await old.send("DELETE", `${mixed}/messages/4`));
    for (const number of [2, 5]) {
      expect((await old.get(`${mixed}/messages/${number}`)).status).to.equal(200);
    }
  });

  it("shows all of them at the new API, which changes and deletes also what the old one has accepted", async () => {
    const newer = clients.new;
    await post("old", mixed, "6: old");
    await change("new", mixed, 5, "5: changed");
    expect((await newer.send("DELETE", `${mixed}/messages/6`)).status).to.equal(200);
    const kept = (expected.get(mixed) ?? []).filter(({ number }) => number !== 6);
    expected.set(mixed, kept);
    const { body } = await newer.get<{ messages: Partial<Accepted>[] }>(`${mixed}/messages`);
    const shown = body.messages.map(({ number, body, mood = null }) => ({ number, body, mood }));
    expect(shown).to.deep.equal(inOrder(kept));
  });

  it("writes as the old one does what holds nothing new", async () => {
    const answer = await clients.new.post<{ number: number }>(`${untouched}/messages`, { body: "2: plain" });
    const { number } = answer.body;
    expected.set(untouched, [...(expected.get(untouched) ?? []), { number, body: "2: plain", mood: null }]);
    expect((await clients.old.get(`${untouched}/messages/${number}`)).status).to.equal(200);
    await untilStored(untouched, 2);
    expect(ownedBy((await buffer.leases.owners(2))[1], oldFlusher)).to.equal(true);
  });

  it("lets the old API accept messages of a chat that only the new one can read", async () => {
    const chat = await newChat("new", tokenIn(mixed));
    await post("old", chat, "1: old");
    await post("new", chat, "2: new");
    expectUpgradeUnderWay(await clients.old.get(chat));
    expect((await clients.old.get(`${chat}/messages/1`)).status).to.equal(200);
  });

  it("lets all of it land once a new flusher comes, beside the old one", async () => {
    newFlusher = await startFlusher(workspace.env, "next");
    for (const [chat, messages] of expected) {
      await untilStored(chat, messages.length);
      expect(await stored(chat)).to.deep.equal(inOrder(messages));
    }
    await untilDrained(workspace);
    const isShared = async () => {
      const owners = await buffer.leases.owners(2);
      return [oldFlusher, newFlusher].every((one) => one && owners.some((owner) => ownedBy(owner, one)));
    };
    await waitFor(isShared, { what: "a partition at each flusher" });
    expect((await clients.old.get(`${mixed}/messages`)).status).to.equal(200);
  });

  it("keeps, of what a newer one wrote, all that an older one changes nothing of", async () => {
    const [{ number } = { number: 0 }] = (expected.get(mixed) ?? []).filter(({ mood }) => mood !== null);
    await change("old", mixed, number, "changed by the old one");
    const { body } = await clients.new.get<Partial<Accepted>>(`${mixed}/messages/${number}`);
    expect(body).to.include({ body: "changed by the old one", mood: "calm" });
    await untilDrained(workspace);
    expect(await stored(mixed)).to.deep.equal(inOrder(expected.get(mixed)));
  });

  it("lets land exactly once, under load, what both accepted and changed until the old ones left", async () => {
    const chats = [mixed, untouched];
    const writeMany = async (version: Versioned, chat: string) => {
      for (let at = 0; at < 100; at += 1) {
        const number = await post(version, chat, `of the ${version} one: ${at}`);
        if (at % 5 === 0) await change("new", chat, number, `changed: ${at}`);
      }
    };
    const byNew = chats.map((chat) => writeMany("new", chat));
    await Promise.all(chats.map((chat) => writeMany("old", chat)));
    await Promise.all([oldFlusher, apis.old].map((process) => process.end("SIGTERM")));
    await Promise.all(byNew);
    await untilDrained(workspace);
    for (const [chat, messages] of expected) {
      expect(await stored(chat)).to.deep.equal(inOrder(messages));
    }
    expect(await leftInRedis(workspace)).to.deep.equal([]);
    for (const partition of [0, 1]) {
      expect(await buffer.totals.read(partition)).to.have.property("deadLetters", 0);
    }
    const errors = allProcesses().flatMap(({ log }) => log.filter(({ level }) => level === "error"));
    expect(errors).to.deep.equal([]);
  });
});
