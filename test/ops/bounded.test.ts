import { expect } from "chai";

import { encodeRecord } from "../../src/records/payload.ts";
import { newRecord } from "../../src/records/records.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { operationIdOf } from "../support/requests.ts";
import { basic, credentials, OpsStage } from "./stage.ts";

const authorization = basic;
const chat = { token: "application", chatNumber: 1 };
const pendingCount = 1_000_000;
const deadCount = 100_000;
const atOnce = 20_000;

describe("With a million pending and a hundred thousand dead letters, a page of the dashboard", () => {
  let stage: OpsStage;
  let engine: PrivateEngine;

  before(async function () {
    this.timeout(120_000);
    // Nobody else's commands may be counted.
    engine = await PrivateEngine.start("redis");
    stage = await OpsStage.open({ ...credentials, ...engine.env });
    const { redis } = stage.workspace;
    const payload = encodeRecord(newRecord(operationIdOf(1), Date.now(), "text"));
    await redis.hset(stage.keys.pending(chat), "1", payload);
    for (let at = 0; at < pendingCount; at += atOnce) {
      const references = Array.from({ length: atOnce }, (_, nth) => `application:1:${at + nth + 1}`);
      await redis.rpush(stage.keys.list(0, "messages"), ...references);
    }
    for (let at = 0; at < deadCount; at += atOnce) {
      const numbers = Array.from({ length: atOnce }, (_, nth) => at + nth);
      const ids = numbers.map((number) => `application:1:${number}:d`);
      await redis.zadd(stage.keys.deadLetters(0), ...ids.flatMap((id, nth) => [at + nth, id]));
      await redis.hset(stage.keys.deadReasons(0), ...ids.flatMap((id) => [id, "a reason"]));
      await redis.hset(stage.keys.dead(chat), ...numbers.flatMap((number) => [String(number), payload]));
    }
  });
  after(async () => {
    // A million references to nothing need not be told one by one.
    await stage.workspace.redis.flushall();
    await stage.close();
    await engine.close();
  });

  /** How often each command ran so far. */
  async function commandCounts(): Promise<Map<string, number>> {
    const info = await stage.workspace.redis.info("commandstats");
    return new Map(
      [...info.matchAll(/cmdstat_([\w|]+):calls=(\d+)/g)].map(([, name = "", calls]) => [
        name,
        Number(calls),
      ]),
    );
  }

  type Counts = ReadonlyMap<string, number>;
  const difference = (after: Counts, before: Counts): Map<string, number> =>
    new Map([...after].map(([name, calls]) => [name, calls - (before.get(name) ?? 0)]));

  /** What a look at whether Redis serves takes: one script that tries each command on a key of its own. */
  async function trial(): Promise<Map<string, number>> {
    const before = await commandCounts();
    await stage.buffer.health.tryWriting();
    return difference(await commandCounts(), before);
  }

  /** Without the trials among them: nothing else calls LPOS. */
  async function withoutTrials(ran: Counts): Promise<[string, number][]> {
    const trials = ran.get("lpos") ?? 0;
    const each = await trial();
    return [...ran].map(([name, calls]) => [name, calls - trials * (each.get(name) ?? 0)]);
  }

  const pages: [string, number][] = [
    ["/ops", 50],
    ["/ops/partitions", 50],
    ["/ops/status", 50],
    ["/ops/history", 40],
    ["/ops/dead-letters", 450],
    ["/ops/dead-letters?from=99990&per=100", 450],
    ["/ops/dead-letters?q=found-nowhere", 2200],
    [`/ops/dead-letters/${encodeURIComponent("application:1:5:d")}`, 40],
    ["/metrics", 40],
  ];
  for (const [path, most] of pages) {
    it(`${path} takes at most ${most} commands, none of which walks over everything`, async () => {
      const before = await commandCounts();
      const { status } = await stage.get(path, { authorization });
      expect(status).to.equal(200);
      const after = await commandCounts();
      const counted = await withoutTrials(difference(after, before));
      const ran = counted.filter(([name, calls]) => !["info", "lpos"].includes(name) && calls > 0);
      const count = ran.reduce((sum, [, calls]) => sum + calls, 0);
      expect(count, JSON.stringify(ran)).to.be.at.most(most);
      for (const walk of ["keys", "scan", "hscan", "zscan", "sscan", "smembers", "hkeys", "hvals"]) {
        expect(ran.map(([name]) => name)).to.not.include(walk);
      }
    });
  }

  it("shows how many there are, and leads through all of a search in bounded steps", async () => {
    const overview = await stage.get("/ops", { authorization });
    expect(overview.text).to.include("1,000,000").and.include("100,000 dead letters");
    const first = await stage.get("/ops/dead-letters?q=application:1:7:d", { authorization });
    expect(first.text).to.include("0 matches among 1–1,000 of 100,000").and.include("from=1000");
    const last = await stage.get("/ops/dead-letters?q=application:1:7:d&from=99000", { authorization });
    expect(last.text).to.include("1 match among 99,001–100,000 of 100,000");
  });
});
