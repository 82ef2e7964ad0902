import { expect } from "chai";

import { sample } from "../../src/ops/sampler.ts";
import { ageText, bytesText } from "../../src/ops/format.ts";
import { basic, credentials, liveTexts, OpsStage } from "./stage.ts";

const authorization = basic;
const hostile = `"><script>alert('1')</script><img src=x onerror=alert(2)>'&`;
/** Tags of the hostile text that stand in a page unescaped. */
const harmfulIn = (page: string) => /<script>|<img|onerror=alert\(2\)>/.exec(page)?.[0];

describe("The pages of the dashboard", () => {
  let stage: OpsStage;
  before(async () => {
    stage = await OpsStage.open({ ...credentials, PARTITIONS: "3" });
  });
  after(() => stage.close());

  const get = (path: string) => stage.get(path, { authorization });

  it("escape whatever others have written", async () => {
    const id = await stage.bury("application", hostile, hostile);
    const partition = stage.keys.partitionOf("application");
    await stage.buffer.pauses.pause(partition, hostile);
    await stage.buffer.blockedAddresses.add({ address: hostile, until: new Date(Date.now() + 60_000) });
    await stage.buffer.audit.add({
      at: new Date(),
      who: hostile,
      from: hostile,
      act: hostile,
      outcome: hostile,
    });
    const search = encodeURIComponent(hostile);
    const paths = [
      "/ops",
      "/ops/partitions",
      `/ops/dead-letters?partition=${partition}`,
      `/ops/dead-letters?partition=${partition}&q=${search}&per=${search}&done=${search}&count=${search}`,
      `/ops/dead-letters/${encodeURIComponent(id)}`,
      `/ops/dead-letters/${search}`,
      `/ops/history?range=${search}`,
      "/ops/addresses",
      "/ops/audit",
    ];
    for (const path of paths) {
      const { text, status } = await get(path);
      expect(status, path).to.be.oneOf([200, 404]);
      expect(harmfulIn(text), path).to.equal(undefined);
    }
    expect((await get(paths[2] ?? "")).text).to.include("&lt;script&gt;alert(&#39;1&#39;)");
    const signIn = await stage.get(`/ops/dead-letters?q=${search}`);
    expect([signIn.status, harmfulIn(signIn.text)]).to.deep.equal([401, undefined]);
    const confirm = await stage.act("/ops/dead-letters", {
      act: "discard",
      id,
      back: `/ops/dead-letters?q=${hostile}`,
    });
    expect([confirm.status, harmfulIn(confirm.text)]).to.deep.equal([200, undefined]);
    await stage.buffer.pauses.resume(partition);
    await stage.buffer.deadLetters.discard(id);
  });

  it("bring every parameter within its bounds", async () => {
    const values = ["-1", "0", "1e9", "99999999999999999999", "abc", "", "%00", "1.5", "1000000000"];
    const addresses = [
      ...["partition", "from", "per"].map((name) => `/ops/dead-letters?${name}=`),
      ...["partitions", "addresses", "audit"].map((page) => `/ops/${page}?page=`),
      "/ops/history?range=",
      "/ops/history.json?range=",
    ];
    for (const address of addresses) {
      for (const value of values) expect((await get(address + value)).status, address + value).to.equal(200);
    }
    const rows = (await get("/ops/dead-letters?per=1000000")).text;
    expect(rows).to.include("<option selected>100</option>");
  });

  it("answer 404 where there is nothing, and 422 to an act that there is not", async () => {
    for (const path of [
      "/ops/nothing",
      "/ops/assets/nothing",
      "/ops/assets/__proto__",
      "/ops/dead-letters/x",
    ]) {
      expect((await get(path)).status, path).to.equal(404);
    }
    expect((await stage.act("/ops/partitions", { act: "drop", partition: "0" })).status).to.equal(422);
    expect((await stage.act("/ops/partitions", { act: "pause", partition: "3" })).status).to.equal(422);
    expect((await stage.act("/ops/dead-letters", { act: "requeue", id: "nonsense" })).status).to.equal(422);
    const json = await stage.send(
      "POST",
      "/ops/partitions",
      { authorization, "content-type": "application/json" },
      "{}",
    );
    expect(json.status).to.equal(415);
    expect((await stage.act("/ops/partitions", { act: "x".repeat(10_000) })).status).to.equal(413);
  });

  it("say so when Redis is away, and what to do", async () => {
    const other = await OpsStage.open(credentials, stage);
    other.buffer.close();
    const cookie = await stage.signIn();
    const page = await other.get("/ops", { cookie });
    expect(page.status).to.equal(200);
    expect(page.text).to.include("redis does not answer").and.include("Act now");
    for (const path of ["/ops/dead-letters", "/ops/history", "/ops/audit"]) {
      expect((await other.get(path, { cookie })).status, path).to.equal(503);
    }
    await other.close({ keepData: true });
  });
});

describe("Every number on the dashboard", () => {
  let stage: OpsStage;
  before(async () => {
    stage = await OpsStage.open({ ...credentials, PARTITIONS: "2" });
  });
  after(() => stage.close());

  /** Accepts through the API. */
  async function post(path: string, body = "{}"): Promise<Record<string, unknown>> {
    const { text } = await stage.send("POST", path, { "content-type": "application/json" }, body);
    return JSON.parse(text) as Record<string, unknown>;
  }

  it("is what the stores say", async () => {
    const { redis } = stage.workspace;
    const { token } = (await post("/applications", '{"name":"a"}')) as { token: string };
    for (let chat = 0; chat < 2; chat += 1) await post(`/applications/${token}/chats`);
    for (let body = 0; body < 7; body += 1) {
      await post(`/applications/${token}/chats/1/messages`, '{"body":"twelve bytes"}');
    }
    await stage.bury(token, "dead");
    const own = stage.keys.partitionOf(token);
    await redis.hincrby(stage.keys.flushed(own), "rows:threshold", 40);
    await redis.hincrby(stage.keys.flushed(own), "conflicts", 3);
    await redis.set(stage.keys.lease(own), "17:host.example:4711");
    await stage.buffer.pauses.pause(1 - own, "somebody");
    const flush = { at: new Date(), partition: own, list: "messages", trigger: "minute" } as const;
    await stage.buffer.recentFlushes.add({ ...flush, rows: 1234, bytes: 56_789, durationMs: 42.4 });
    await sample(stage.buffer);

    const { text } = await stage.get("/ops", { authorization });
    const shown = liveTexts(text);
    const meta = await redis.hgetall(stage.keys.meta(own));
    const bytes = Number(meta["bytes"]);
    const length = (list: "chats" | "messages") => redis.llen(stage.keys.list(own, list));
    expect(shown.get("pending")).to.equal(String((await length("chats")) + (await length("messages"))));
    expect(shown.get("pendingBytes")).to.equal(bytesText(bytes));
    expect(shown.get("deadLetters")).to.equal(String(await redis.zcard(stage.keys.deadLetters(own))));
    expect(shown.get("acceptedMessages")).to.equal(meta["accepted:messages"]).and.equal("7");
    expect(shown.get("acceptedChats")).to.equal(meta["accepted:chats"]).and.equal("2");
    expect(shown.get("conflicts")).to.equal("3");
    expect(shown.get("drained")).to.equal("1 of 2");
    expect([shown.get("engine.redis"), shown.get("engine.database")]).to.deep.equal(["up", "up"]);
    expect(text).to.include("<td>1,234</td>").and.include("<td>56.8 kB</td>").and.include("<td>42 ms</td>");

    const partitions = liveTexts((await stage.get("/ops/partitions", { authorization })).text);
    const of = (partition: number, name: string) => partitions.get(`p${partition}.${name}`);
    expect([of(own, "messages"), of(own, "chats"), of(own, "dead")]).to.deep.equal(["7", "2", "1"]);
    expect([of(own, "drivenBy"), of(own, "drainedBy")]).to.deep.equal([undefined, "host.example:4711"]);
    expect([of(own, "state"), of(1 - own, "state")]).to.deep.equal(["flushing", "PAUSED"]);
    expect([of(1 - own, "drainedBy"), of(1 - own, "messages")]).to.deep.equal(["nobody", "0"]);
    expect(of(own, "bytes")).to.equal(bytesText(bytes));
    expect(of(own, "sequence")).to.equal(meta["sequence"] ?? "0");

    const status = JSON.parse((await stage.get("/ops/status", { authorization })).text) as Record<
      string,
      unknown
    >;
    expect(status).to.deep.include({
      verdict: "bad",
      pending: { chats: 2, messages: 7 },
      pendingBytes: bytes,
    });
    expect(status).to.deep.include({
      deadLetters: 1,
      partitionsDrained: 1,
      partitionsPaused: 1,
      partitions: 2,
    });
    const seconds = Number(status["oldestAgeSeconds"]);
    const { oldestMs } = (await stage.buffer.totals.read(own)).waits;
    expect(seconds).to.be.within(0.001, oldestMs / 1000);
    expect(shown.get("oldestAge")).to.match(/^[\d.]+ s$/);
    expect(ageText(95)).to.equal("1 min 35 s");
    const metrics = (await stage.get("/metrics")).text;
    for (const line of [
      'sluice_buffer_records{list="messages"} 7',
      'sluice_buffer_records{list="chats"} 2',
      `sluice_buffer_bytes ${bytes}`,
      "sluice_dead_letters 1",
      "sluice_partitions_paused 1",
      "sluice_partitions 2",
      'sluice_engine_up{engine="database"} 1',
      "sluice_buffer_max_records 2000000",
      "sluice_number_conflicts_total 3",
    ]) {
      expect(metrics).to.include(`\n${line}\n`);
    }
  });
});
