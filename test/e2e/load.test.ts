import { setTimeout as delay } from "node:timers/promises";

import { expect } from "chai";

import type { Client } from "../support/client.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { metricIn, RunningSluice } from "../support/running-sluice.ts";
import { waitFor } from "../support/wait-for.ts";
import type { Workspace } from "../support/workspace.ts";

const applications = 20;
const chatsEach = 10;
const messagesEach = 100;
const clients = 64;
const threshold = 10;
/** A batch of each list gathers for a tenth of a second; on a slow machine that is few records. */
const mostFlushesASecond = 25;

interface Sent {
  readonly token: string;
  readonly chat: number;
  readonly body: string;
  readonly number: number;
  readonly timestamp: string;
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
}

interface PostedMessage {
  number: number;
  message: { number: number; body: string; timestamp: string };
}

describe("20,000 messages to 200 chats of 20 applications, 64 at a time", function () {
  this.timeout(600_000);

  let database: PrivateEngine;
  let sluice: RunningSluice;

  before(async () => {
    database = await PrivateEngine.start("database");
  });

  beforeEach(async () => {
    sluice = await RunningSluice.start({ ...database.env, MESSAGE_QUEUE_THRESHOLD: String(threshold) });
  });

  afterEach(async () => {
    await sluice.stop();
  });

  after(async () => {
    await database.close();
  });

  it("are all answered 201, numbered 1 to n in each chat, readable at once, and land exactly", async () => {
    const { client, workspace } = sluice;
    const startedAtMs = performance.now();
    const sent = await postEverything(client, {
      async afterEach({ token, chat, number, body }) {
        const read = await client.get<{ body: string }>(messagePath(token, chat, number));
        expect(read.status).to.equal(200);
        expect(read.body.body).to.equal(body);
      },
    });
    await expectLanded(workspace, sent);
    const { rows, flushes } = await flushed(client);
    expect(rows).to.equal(sent.length + applications * chatsEach);
    const seconds = (performance.now() - startedAtMs) / 1000;
    expect(flushes).to.be.below(Math.max(rows / (3 * threshold), mostFlushesASecond * seconds));
  });

  it("land exactly when the flusher is killed in the middle and another takes over", async () => {
    let killed = false;
    const sent = await postEverything(sluice.client, {
      async halfway() {
        await sluice.flusher.end("SIGKILL");
        killed = true;
        await sluice.startAnotherFlusher();
      },
    });
    expect(killed).to.equal(true);
    await expectLanded(sluice.workspace, sent);
  });

  it("land exactly when MySQL is stopped for ten seconds in the middle, and no POST fails", async () => {
    let pendingInOutage: Promise<number> | undefined;
    const sent = await postEverything(sluice.client, {
      async halfway() {
        await database.stop();
        // The outage is what is measured here, so its length is a time and not a condition.
        pendingInOutage = delay(10_000).then(async () => {
          const pending = await sluice.metric('sluice_buffer_records{list="messages"}');
          await database.start();
          return pending;
        });
      },
    });
    expect(await pendingInOutage).to.be.greaterThan(0);
    await expectLanded(sluice.workspace, sent);
  });
});

/** Makes the chats, then posts to all of them from many clients; every answer must be a 201. */
async function postEverything(
  client: Client,
  hooks: { afterEach?: (sent: Sent) => Promise<void>; halfway?: () => Promise<void> },
): Promise<Sent[]> {
  const chats = await createChats(client);
  const total = chats.length * messagesEach;
  const sent: Sent[] = [];
  let [next, halfway] = [0, undefined as Promise<void> | undefined];
  async function work(): Promise<void> {
    for (let at = next++; at < total; at = next++) {
      if (at === total / 2) halfway = hooks.halfway?.();
      const { token, chat } = chats[at % chats.length] ?? { token: "", chat: 0 };
      const posted = await postMessage(client, token, chat, `message ${at} to ${token}/${chat} ✓`);
      sent.push(posted);
      await hooks.afterEach?.(posted);
    }
  }
  await Promise.all(Array.from({ length: clients }, work));
  await halfway;
  expect(sent).to.have.length(total);
  expectGapless(sent);
  return sent;
}

async function createChats(client: Client): Promise<{ token: string; chat: number }[]> {
  const chats: { token: string; chat: number }[] = [];
  for (let application = 0; application < applications; application += 1) {
    const created = await client.post<{ token: string }>("/api/v1/applications", {
      name: `load ${application}`,
    });
    for (let chat = 1; chat <= chatsEach; chat += 1) {
      const { token } = created.body;
      const answer = await client.post<{ chat: { number: number } }>(`/applications/${token}/chats`);
      expect(answer.body.chat.number).to.equal(chat);
      chats.push({ token, chat });
    }
  }
  return chats;
}

async function postMessage(client: Client, token: string, chat: number, body: string): Promise<Sent> {
  const sentAtMs = Date.now();
  const path = `/api/v1/applications/${token}/chats/${chat}/messages`;
  const answer = await client.post<PostedMessage>(path, { message: { body } });
  expect(answer.status).to.equal(201);
  const { number, timestamp } = answer.body.message;
  return { token, chat, body, number, timestamp, sentAtMs, answeredAtMs: Date.now() };
}

function messagePath(token: string, chat: number, number: number): string {
  return `/api/v1/applications/${token}/chats/${chat}/messages/${number}`;
}

function expectGapless(sent: readonly Sent[]): void {
  const numbers = new Map<string, number[]>();
  for (const { token, chat, number } of sent) {
    const key = `${token}/${chat}`;
    numbers.set(key, [...(numbers.get(key) ?? []), number]);
  }
  for (const given of numbers.values()) {
    expect(given.sort((a, b) => a - b)).to.deep.equal(given.map((_, at) => at + 1));
  }
}

/** Waits until every message is in MySQL, then compares MySQL with what was answered, row by row. */
async function expectLanded({ sql }: Workspace, sent: readonly Sent[]): Promise<void> {
  const landed = async () => {
    return (await countOf(sql, "messages")) === sent.length;
  };
  await waitFor(landed, { what: "every message in MySQL", timeoutMs: 180_000 });
  const rows = (await sql("messages").select("*")) as {
    application_token: string;
    chat_number: number;
    number: number;
    body: string;
    created_at: Date;
  }[];
  const byPlace = new Map(
    rows.map((row) => [messagePath(row.application_token, row.chat_number, row.number), row]),
  );
  expect(byPlace.size).to.equal(sent.length);
  for (const { token, chat, number, body, timestamp, sentAtMs, answeredAtMs } of sent) {
    const row = byPlace.get(messagePath(token, chat, number));
    expect(row?.body).to.equal(body);
    expect(row?.created_at.toISOString()).to.equal(timestamp);
    expect(row?.created_at.getTime()).to.be.within(sentAtMs, answeredAtMs);
  }
  expect(await countOf(sql, "chats")).to.equal(applications * chatsEach);
}

async function countOf(sql: Workspace["sql"], table: string): Promise<number> {
  const rows = await sql(table).count({ count: "*" });
  return Number(rows[0]?.count);
}

/** What the flushers have done, once the totals show that nothing is pending. */
async function flushed(client: Client): Promise<{ rows: number; flushes: number }> {
  const text = await waitFor(
    async () => {
      const { body } = await client.get<string>("/metrics");
      const pending = metricIn(body, 'sluice_buffer_records{list="messages"}');
      return pending === 0 && metricIn(body, 'sluice_buffer_records{list="chats"}') === 0 && body;
    },
    { what: "an empty buffer" },
  );
  const sum = (name: string) =>
    ["threshold", "minute", "manual"].reduce(
      (total, trigger) => total + metricIn(text, `${name}{trigger="${trigger}"}`),
      0,
    );
  return { rows: sum("sluice_flush_rows_total"), flushes: sum("sluice_flushes_total") };
}
