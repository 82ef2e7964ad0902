import { setTimeout as pause } from "node:timers/promises";

import { expect } from "chai";

import { untilDrained } from "../support/kept.ts";
import { FaultProxy } from "../support/fault-proxy.ts";
import { letAnHourPass } from "../support/hour.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { RunningSluice } from "../support/running-sluice.ts";
import { waitFor } from "../support/wait-for.ts";

/** Of each kind of record. */
const deletions = Number(process.env["SLUICE_TEST_DELETIONS"] ?? 200);
/** A flush is one moment for all that it writes: many flushes of few tell more than few of many. */
const parentsAtATime = Math.min(Math.ceil(deletions / 10), 100);
/** By then the deletion has been flushed. */
const longestPauseMs = 130;
const distanceMs = 5;

/** What gives numbers: an address to which is posted, and what. */
interface NumberGiver {
  readonly address: string;
  readonly body: object;
}

describe("The number of the newest record of a parent at rest, which is deleted", function () {
  this.timeout(3_600_000);

  let database: PrivateEngine;
  /** MySQL is some way off: what an API reads there one after the other is of moments that differ. */
  let distance: FaultProxy;
  let sluice: RunningSluice;
  let token: string;

  before(async () => {
    database = await PrivateEngine.start("database");
    distance = await FaultProxy.to(database.port);
    distance.delay(distanceMs);
    sluice = await RunningSluice.start(
      { ...database.env, MESSAGE_QUEUE_THRESHOLD: "1", CHAT_QUEUE_THRESHOLD: "1" },
      { DATABASE_PORT: String(distance.port) },
    );
    token = await newApplication();
  });

  after(async () => {
    await sluice.stop();
    await distance.close();
    await database.close();
  });

  async function newApplication(): Promise<string> {
    return (await sluice.client.post<{ token: string }>("/applications", { name: "newest" })).body.token;
  }

  async function post({ address, body }: NumberGiver): Promise<number> {
    const answer = await sluice.client.post<{ number: number }>(address, body);
    expect(answer.status).to.equal(201);
    return answer.body.number;
  }

  /** Deletes the newest and posts the next, at some moment of the flush; answers both their numbers. */
  async function deleteAndPost(
    parent: NumberGiver,
    newest: number,
  ): Promise<{ deleted: number; next: number }> {
    const { status } = await sluice.client.send("DELETE", `${parent.address}/${newest}`);
    expect(status).to.equal(200);
    await pause(Math.random() * longestPauseMs);
    return { deleted: newest, next: await post(parent) };
  }

  async function untilAtRest(parents: number): Promise<void> {
    let resting = 0;
    await untilDrained(sluice.workspace);
    const areAtRest = async () => (resting += await letAnHourPass(sluice.workspace)) >= parents;
    await waitFor(areAtRest, { what: "counters that may go" });
  }

  /** The numbers that were given again, of so many that were deleted. */
  async function givenAgain(parents: readonly NumberGiver[]): Promise<number[]> {
    const again: number[] = [];
    for (let done = 0; done < deletions; done += parents.length) {
      const newest = await Promise.all(parents.map(post));
      await untilAtRest(parents.length);
      const rounds = parents.map((parent, nth) => deleteAndPost(parent, newest[nth] ?? 0));
      for (const { deleted, next } of await Promise.all(rounds)) if (next <= deleted) again.push(next);
    }
    return again;
  }

  it("is not given to the next message, however soon that comes", async () => {
    const chats = `/applications/${token}/chats`;
    const numbers = await Promise.all(
      Array.from({ length: parentsAtATime }, () => post({ address: chats, body: {} })),
    );
    const parents = numbers.map((chat) => ({
      address: `${chats}/${chat}/messages`,
      body: { body: "the newest" },
    }));
    expect(await givenAgain(parents)).to.deep.equal([]);
  });

  it("is not given to the next chat, however soon that comes", async () => {
    const tokens = await Promise.all(Array.from({ length: parentsAtATime }, newApplication));
    const parents = tokens.map((one) => ({ address: `/applications/${one}/chats`, body: {} }));
    expect(await givenAgain(parents)).to.deep.equal([]);
  });
});
