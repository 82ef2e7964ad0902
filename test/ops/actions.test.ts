import { expect } from "chai";

import { Flusher } from "../../src/flusher/flusher.ts";
import { clientKey } from "../../src/client-address.ts";
import { dateRecord } from "../support/dated.ts";
import { operationIdOf, requestOf } from "../support/requests.ts";
import { waitFor } from "../support/wait-for.ts";
import { startApi, type SluiceProcess } from "../support/sluice-process.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { basic, credentials, OpsStage } from "./stage.ts";

const authorization = basic;
const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

describe("What an operator does", () => {
  let stage: OpsStage;
  let store: Store;
  let flusher: Flusher;
  let token: string;
  let partition: number;

  before(async () => {
    stage = await OpsStage.open({ ...credentials, CHAT_QUEUE_THRESHOLD: "1", MESSAGE_QUEUE_THRESHOLD: "1" });
    store = openStore(stage.workspace.config.database, "writing");
    const settings = { thresholds: { chats: 1, messages: 1 }, maxRows: 100 };
    flusher = new Flusher(stage.buffer, store, settings, quiet);
    await stage.buffer.onWake((partition, reason) => {
      flusher.trigger(reason, partition);
    });
    token = String((await post("/applications", '{"name":"a"}'))["token"]);
    partition = stage.keys.partitionOf(token);
    await post(`/applications/${token}/chats`);
    await untilStored("chats", 1);
  });
  after(async () => {
    await flusher.stop();
    await store.close();
    await stage.close();
  });

  async function post(path: string, body = "{}"): Promise<Record<string, unknown>> {
    const { text } = await stage.send("POST", path, { "content-type": "application/json" }, body);
    return JSON.parse(text) as Record<string, unknown>;
  }
  const postMessage = (body: string) =>
    post(`/applications/${token}/chats/1/messages`, JSON.stringify({ body }));
  const rows = (table: string) => stage.workspace.sql(table).select<Record<string, unknown>[]>("*");
  const untilStored = (table: string, count: number) =>
    waitFor(async () => (await rows(table)).length === count, { what: `${count} ${table} in MySQL` });
  const pending = async () => (await stage.buffer.totals.read(partition)).pending;
  const untilNothingIsPending = () =>
    waitFor(async () => (await pending()).messages === 0, { what: "the messages to be acknowledged" });
  const act = async (path: string, fields: [string, string][] | Record<string, string>) => {
    const { status, headers } = await stage.act(path, fields);
    expect(status).to.equal(303);
    return String(headers.location);
  };

  it("pauses a partition: records are accepted and stay, until it is resumed", async () => {
    await act("/ops/partitions", { act: "pause", partition: String(partition) });
    for (let body = 0; body < 5; body += 1) expect((await postMessage("waits"))["number"]).to.equal(body + 1);
    await act("/ops/partitions", { act: "flush", partition: String(partition) });
    flusher.trigger("minute");
    const page = await stage.get("/ops", { authorization });
    expect(page.text).to.include(`Partition ${partition} is PAUSED`).and.include("by operator");
    expect(await pending()).to.deep.equal({ chats: 0, messages: 5 });
    expect(await rows("messages")).to.deep.equal([]);
    await act("/ops/partitions", { act: "resume", partition: String(partition) });
    await untilStored("messages", 5);
    await untilNothingIsPending();
  });

  it("pauses also in the middle of a long drain, after the batch in hand", async () => {
    await stage.buffer.pauses.pause(partition, "operator");
    for (let body = 0; body < 350; body += 1) await postMessage("one of many");
    const { pauses } = stage.buffer;
    const look = pauses.isPaused.bind(pauses);
    // An operator who pauses once the first batch is acknowledged, when the second has been written.
    const stopped = new Promise<void>((resolve) => {
      pauses.isPaused = async (one) => {
        const { messages } = await pending();
        if (messages === 250) await pauses.pause(partition, "operator");
        // Asked for a third batch that is done, or, after the drain, for what is to be removed.
        if (messages <= 150) resolve();
        return look(one);
      };
    });
    await stage.buffer.pauses.resume(partition);
    await stopped;
    pauses.isPaused = look;
    expect((await pending()).messages).to.equal(150);
    expect((await rows("messages")).length).to.equal(205);
    await act("/ops/partitions", { act: "resume", partition: String(partition) });
    await untilStored("messages", 355);
    await untilNothingIsPending();
  });

  it("mends a dead letter: readers see the new text under its number, and it lands", async () => {
    const request = requestOf(operationIdOf(1), "t".repeat(256), Date.now());
    const accepted = await stage.buffer.accepting.accept({ token }, request);
    flusher.trigger("minute");
    const id = await anotherThan([]);
    const number = accepted.kind === "accepted" ? accepted.number : 0;
    expect(id).to.equal(`${token}:${number}:d`);
    const address = `/ops/dead-letters/${encodeURIComponent(id)}`;
    const page = await stage.get(address, { authorization });
    const seen = /name="seen" value="([^"]+)"/.exec(page.text)?.[1] ?? "";
    expect((await stage.act(address, { seen, text: "t".repeat(256) })).status).to.equal(422);
    expect((await stage.act(address, { seen: `${seen}x`, text: "stale" })).status).to.equal(409);
    expect(await act(address, { seen, text: "mended\r\nand more" })).to.include("done=replaced");
    const read = await stage.get(`/applications/${token}/chats/${number}`);
    expect(JSON.parse(read.text)).to.deep.include({ number, title: "mended\nand more" });
    await waitFor(async () => (await rows("chats")).some((row) => row["title"] === "mended\nand more"), {
      what: "the mended record in MySQL",
    });
    expect((await stage.act(address, { seen, text: "again" })).status).to.equal(409);
    expect(await stage.buffer.deadLetters.count(partition)).to.equal(0);
  });

  it("takes no text that the API would refuse", async () => {
    const id = await stage.bury("elsewhere", "refused");
    const address = `/ops/dead-letters/${encodeURIComponent(id)}`;
    expect((await stage.act(address, { seen: "", text: " \r\n " })).status).to.equal(422);
    expect((await stage.act(address, { seen: "", text: "x".repeat(65_537) })).status).to.equal(422);
    expect(await stage.buffer.deadLetters.discard(id)).to.equal(true);
  });

  it("requeues and discards dead letters by their ids, and asks before it discards", async () => {
    const ids = [await deadLetter(), await deadLetter(), await deadLetter()];
    const chosen = ids.slice(0, 2).map((id): [string, string] => ["id", id]);
    const asked = await stage.act("/ops/dead-letters", [["act", "discard"], ...chosen]);
    expect(asked.text).to.include("Discard 2 dead letters?");
    expect(await stage.buffer.deadLetters.count(partition)).to.equal(3);
    const done = await act("/ops/dead-letters", [["act", "discard"], ["confirmed", "yes"], ...chosen]);
    expect((await stage.get(done, { authorization })).text).to.include("2 dead letters discarded");
    expect(await stage.buffer.deadLetters.count(partition)).to.equal(1);
    await makeWritable(ids[2] ?? "");
    expect(
      await act("/ops/dead-letters", { act: "requeue", oldest: "1000", partition: String(partition) }),
    ).to.include("done=requeued&count=1");
    const number = Number(ids[2]?.split(":")[2]);
    await waitFor(async () => (await rows("messages")).some((row) => row["number"] === number), {
      what: "the requeued record in MySQL",
    });
    expect((await stage.act("/ops/dead-letters", [["act", "requeue"], ...chosen])).status).to.equal(422);
    const audit = await stage.audit();
    expect(audit.slice(0, 2)).to.deep.equal([
      `operator: requeue ${audit[0]?.match(/dead letter [0-9a-f]{8}:1:\d+:d/)?.[0] ?? ""}: 1 of 1 done`,
      "operator: discard 2 dead letters: 2 of 2 done",
    ]);
    expect(audit.join()).to.not.include(token);
  });

  it("finds dead letters by id, reason and text, from where an address says", async () => {
    const ids = await Promise.all(
      ["apple", "pear", "apple pie"].map((text, at) => stage.bury("fruit", text, `reason ${at}`)),
    );
    const shownIn = async (query: string) => {
      const address = `/ops/dead-letters?partition=${stage.keys.partitionOf("fruit")}${query}`;
      const { text } = await stage.get(address, { authorization });
      return ids.filter((id) => text.includes(`value="${id}"`)).length;
    };
    expect(await shownIn("")).to.equal(3);
    expect(await shownIn("&q=APPLE")).to.equal(2);
    expect(await shownIn("&q=reason+1")).to.equal(1);
    expect(await shownIn("&q=fruit%3A1")).to.equal(3);
    expect(await shownIn("&per=1")).to.equal(1);
    expect(await shownIn("&from=2")).to.equal(1);
  });

  /** A record that MySQL refused: its time is none that a row can have. */
  async function deadLetter(): Promise<string> {
    const before = await stage.buffer.deadLetters.oldestIds(partition, 100);
    await stage.buffer.pauses.pause(partition, "operator");
    const number = Number((await postMessage("refused"))["number"]);
    await changeTimes(`pending:${token}:1`, number, Date.UTC(20_000, 0, 1));
    await stage.buffer.pauses.resume(partition);
    return anotherThan(before);
  }

  function anotherThan(known: readonly string[]): Promise<string> {
    return waitFor(
      async () =>
        (await stage.buffer.deadLetters.oldestIds(partition, 100)).find((id) => !known.includes(id)),
      { what: "a dead letter" },
    );
  }

  const makeWritable = (id: string) => changeTimes(`dead:${token}:1`, Number(id.split(":")[2]), Date.now());

  async function changeTimes(hash: string, number: number, atMs: number): Promise<void> {
    const key = `${stage.workspace.config.redis.namespace}:{${partition}}:${hash}`;
    await dateRecord(stage.workspace.redis, key, number, atMs);
  }
});

describe("An address that the rate limit refused", () => {
  it("is listed, and let in again by an operator", async () => {
    const stage = await OpsStage.open(credentials);
    let api: { process: SluiceProcess; url: string } | undefined;
    try {
      api = await startApi({
        ...stage.workspace.env,
        ...credentials,
        RATE_LIMIT_PER_MINUTE: "3",
        TRUSTED_PROXIES: "1",
      });
      const { url } = api;
      const ask = async (address: string) =>
        (await fetch(`${url}/applications`, { headers: { "x-forwarded-for": address } })).status;
      for (const expected of [200, 200, 200, 429, 429]) expect(await ask("192.0.2.9")).to.equal(expected);
      expect(await ask("192.0.2.10")).to.equal(200);
      const listed = await waitFor(
        async () => {
          const { text } = await stage.get("/ops/addresses", { authorization });
          return text.includes("192.0.2.9") && text;
        },
        { what: "the address in the list" },
      );
      expect(listed).to.include("<strong>blocked</strong>").and.not.include("192.0.2.10");
      const { status } = await stage.act("/ops/addresses", { address: clientKey("192.0.2.9") ?? "" });
      expect(status).to.equal(303);
      await waitFor(async () => (await ask("192.0.2.9")) === 200, { what: "the address to be let in" });
      await waitFor(async () => (await stage.buffer.blockedAddresses.list(0, 10)).total === 0, {
        what: "the list to be empty",
      });
    } finally {
      await api?.process.end("SIGTERM");
      await stage.close();
    }
  });

  it("is one of a thousand at most", async () => {
    const stage = await OpsStage.open();
    try {
      const until = Date.now() + 60_000;
      for (let at = 0; at < 1010; at += 1) {
        await stage.buffer.blockedAddresses.add({ address: `a${at}`, until: new Date(until + at) });
      }
      const { addresses, total } = await stage.buffer.blockedAddresses.list(0, 2);
      expect([total, addresses.map(({ address }) => address)]).to.deep.equal([1000, ["a1009", "a1008"]]);
    } finally {
      await stage.close();
    }
  });
});
