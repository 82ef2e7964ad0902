import { expect } from "chai";

import { PrivateEngine } from "../support/private-engines.ts";
import { RunningSluice } from "../support/running-sluice.ts";
import { runCommand } from "../support/sluice-command.ts";
import { waitFor } from "../support/wait-for.ts";

const clients = 8;

describe("A Redis that MySQL's absence has filled up to its maxmemory", () => {
  let redis: PrivateEngine;
  let database: PrivateEngine;
  let sluice: RunningSluice;

  beforeEach(async () => {
    [redis, database] = await Promise.all([
      PrivateEngine.start("redis", ["--maxmemory", "3mb"]),
      PrivateEngine.start("database"),
    ]);
    sluice = await RunningSluice.start({ ...redis.env, ...database.env });
  });

  afterEach(async () => {
    await sluice.stop();
    await Promise.all([redis.close(), database.close()]);
  });

  async function openChat(): Promise<string> {
    const { client } = sluice;
    const { token } = (await client.post<{ token: string }>("/applications", { name: "full" })).body;
    await client.post(`/applications/${token}/chats`, {});
    const path = `/applications/${token}/chats/1/messages`;
    // From then on Redis knows the chat.
    await waitFor(async () => (await client.post(path, { body: "first" })).status === 201, {
      what: "a message",
    });
    await waitFor(async () => (await stored()).length === 1, { what: "it in MySQL" });
    return path;
  }

  /** Posts until each of some clients was refused; answers the numbers that were given. */
  async function fill(path: string): Promise<number[]> {
    const given: number[] = [];
    const work = async () => {
      for (;;) {
        const answer = await sluice.client.post<{ number: number; code: string }>(path, {
          body: "x".repeat(2000),
        });
        if (answer.status === 201) given.push(answer.body.number);
        else {
          expect([answer.status, answer.body.code]).to.deep.equal([503, "buffer_full"]);
          expect(Number(answer.headers["retry-after"])).to.be.at.least(1);
          return;
        }
      }
    };
    await Promise.all(Array.from({ length: clients }, work));
    return given;
  }

  async function memory(field: string): Promise<number> {
    const info = await sluice.workspace.redis.info("memory");
    return Number(new RegExp(`^${field}:(\\d+)`, "m").exec(info)?.[1]);
  }

  const stored = async () =>
    ((await sluice.workspace.sql("messages").select("number").orderBy("number")) as { number: number }[]).map(
      ({ number }) => number,
    );

  it("takes nothing new, is told of, and drains by itself once MySQL is back, under a flusher that was started meanwhile", async () => {
    const path = await openChat();
    await database.stop();
    const given = await fill(path);
    expect(given.length).to.be.above(100);
    given.push(1);
    // From here on not even what is left for draining is there.
    await sluice.workspace.redis.config("SET", "maxmemory", String((await memory("used_memory")) - 100_000));
    expect((await sluice.client.get("/readyz")).status).to.equal(503);
    const { lines } = await runCommand(["status"], sluice.workspace.env);
    expect(lines[0]).to.match(/^verdict +act now$/);
    expect(lines.join("\n")).to.contain("redis has no memory left and refuses what is new");

    await sluice.flusher.end("SIGKILL");
    await sluice.startAnotherFlusher();
    await sluice.flusher.logged("draining this partition");
    await database.start();
    await waitFor(async () => (await stored()).length >= given.length, { what: "everything in MySQL" });
    expect(await stored()).to.deep.equal(given.sort((one, other) => one - other));
    await waitFor(async () => (await sluice.client.post(path, { body: "room" })).status === 201, {
      what: "a POST to be accepted",
    });
    await waitFor(async () => (await stored()).length === given.length + 1, {
      what: "the last one in MySQL",
    });
  });
});
