import { expect } from "chai";

import { PrivateEngine } from "../support/private-engines.ts";
import { RunningSluice } from "../support/running-sluice.ts";
import { waitFor } from "../support/wait-for.ts";

const chats = 4;
const gap = 500;

interface Posted {
  readonly chat: number;
  readonly number: number;
  readonly body: string;
}

describe("When Redis loses data", () => {
  let redis: PrivateEngine;
  let sluice: RunningSluice;
  let token: string;

  beforeEach(async () => {
    redis = await PrivateEngine.start("redis");
    sluice = await RunningSluice.start({ ...redis.env, NUMBER_GAP_AFTER_LOSS: String(gap) });
    const { client } = sluice;
    token = (await client.post<{ token: string }>("/applications", { name: "loss" })).body.token;
    for (let chat = 1; chat <= chats; chat += 1) await client.post(`/applications/${token}/chats`);
  });

  afterEach(async () => {
    await sluice.stop();
    await redis.close();
  });

  async function post(chat: number, body: string): Promise<Posted | undefined> {
    const path = `/applications/${token}/chats/${chat}/messages`;
    const answer = await sluice.client.post<{ number: number }>(path, { body });
    return answer.status === 201 ? { chat, number: answer.body.number, body } : undefined;
  }

  /** Posts until each of `count` messages has a 201, eight at a time. */
  async function postMany(count: number, prefix: string): Promise<Posted[]> {
    const posted: Posted[] = [];
    let next = 0;
    async function work(): Promise<void> {
      for (let at = next++; at < count; at = next++) {
        const body = `${prefix} ${at}`;
        posted.push(await waitFor(() => post((at % chats) + 1, body), { what: `a 201 for ${body}` }));
      }
    }
    await Promise.all(Array.from({ length: 8 }, work));
    return posted;
  }

  async function stored(): Promise<Map<string, string>> {
    const rows: { chat_number: number; number: number; body: string }[] = await sluice.workspace
      .sql("messages")
      .select("chat_number", "number", "body");
    return new Map(rows.map((row) => [`${row.chat_number}/${row.number}`, row.body]));
  }

  async function expectStored(posted: readonly Posted[]): Promise<void> {
    await waitFor(
      async () => {
        const rows = await stored();
        return posted.every(({ chat, number, body }) => rows.get(`${chat}/${number}`) === body);
      },
      { what: "the messages in MySQL" },
    );
  }

  function lastNumbers(posted: readonly Posted[]): Map<number, number> {
    const last = new Map<number, number>();
    for (const { chat, number } of posted) last.set(chat, Math.max(number, last.get(chat) ?? 0));
    return last;
  }

  function expectAbove(later: readonly Posted[], earlier: readonly Posted[]): void {
    const last = lastNumbers(earlier);
    for (const { chat, number } of later) expect(number).to.be.above(last.get(chat) ?? 0);
  }

  const conflicts = () => sluice.metric("sluice_number_conflicts_total");

  it("numbers resume above all that was answered after it was emptied under load", async () => {
    const before = await postMany(400, "before");
    const during = postMany(400, "during");
    await sluice.workspace.redis.flushall();
    const mixed = await during;
    const after = await postMany(400, "after");

    const emptied = mixed.filter(
      ({ chat, number }) => number > gap + (lastNumbers(before).get(chat) ?? 0) / 2,
    );
    expectAbove(after, before);
    expectAbove(emptied, before);
    const places = [...before, ...mixed, ...after].map(({ chat, number }) => `${chat}/${number}`);
    expect(new Set(places).size).to.equal(places.length);
    await expectStored(after);
    expect(await conflicts()).to.equal(0);
    // Whichever of the two looks first says so.
    await waitFor(
      () =>
        [...sluice.api.log, ...sluice.flusher.log].some(({ msg }) => msg.startsWith("Redis has lost data")),
      { what: "the loss in a log" },
    );
  });

  it("numbers resume above all that MySQL has after it was put back to an older copy", async () => {
    const before = await postMany(100, "before");
    await redis.stop();
    redis.saveData();
    await redis.start();
    const lost = await postMany(300, "lost");
    await expectStored(lost.slice(0, 200));
    await redis.stop();
    redis.putDataBack();
    await redis.start();
    const after = await postMany(200, "after");

    expectAbove(after, [...before, ...lost]);
    await expectStored([...before, ...after]);
    expect(await conflicts()).to.equal(0);
  });

  it("numbers go on without a gap when it was only started again", async () => {
    const before = await postMany(100, "before");
    await redis.stop();
    await redis.start();
    const after = await postMany(100, "after");
    expect([...lastNumbers(after).values()]).to.deep.equal(Array(chats).fill(50));
    await expectStored([...before, ...after]);
  });
});
