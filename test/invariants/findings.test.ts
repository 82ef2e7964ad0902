import { expect } from "chai";

import type { FindingKind } from "../../src/buffer/invariants/finding.ts";
import { tooLongTitle } from "../flusher/dead-letter-stage.ts";
import { Stage } from "./stage.ts";

type Kept = Awaited<ReturnType<Stage["keep"]>>;

describe("What must hold of the buffer", () => {
  let stage: Stage;
  let kept: Kept;
  /** Chat 1 is stored, with a change that waits; chat 2 and its messages wait, one of them deleted. */
  let token: string;
  /** Of the chat that MySQL refused. */
  let letter: string;

  before(async () => {
    stage = await Stage.open();
    token = await stage.application();
    await stage.accept.chat(token, "stored");
    for (let nth = 0; nth < 3; nth += 1) await stage.message(token, 1);
    await stage.accept.chat(token, tooLongTitle);
    await stage.drain();
    await stage.change.updateMessage(token, 1, 2, "changed");
    await stage.accept.chat(token, "waiting");
    for (let nth = 0; nth < 4; nth += 1) await stage.message(token, 3);
    await stage.change.deleteMessage(token, 3, 2);
    await stage.accept.chat(token, "deleted with what is beneath it");
    await stage.message(token, 4);
    await stage.change.deleteChat(token, 4);
    const other = await stage.application();
    await stage.accept.chat(other, "of a deleted application");
    await stage.message(other, 1);
    await stage.change.deleteApplication(other);
    [letter = ""] = await stage.buffer.deadLetters.oldestIds(0, 10);
    kept = await stage.keep();
  });

  afterEach(async () => {
    await stage.restore(kept);
  });

  after(async () => {
    await stage.close();
  });

  const stored = () => ({ token, chatNumber: 1 });
  const waiting = () => ({ token, chatNumber: 3 });
  const redis = () => stage.workspace.redis;

  it("does where records wait, were changed, refused and deleted", async () => {
    const { findings, looked } = await stage.look();
    expect(findings).to.deep.equal([]);
    expect(looked).to.include({ deadLetters: 1, inMotion: 0, restless: 0 });
    expect(looked.references).to.be.greaterThan(8);
  });

  interface Case {
    readonly kind: FindingKind;
    /** What it is to see. */
    readonly title: string;
    readonly spoil: () => Promise<unknown>;
    /** What else is then wrong. */
    readonly besides?: readonly FindingKind[];
    /** What is wrong after what can be put right was; all is in order where it is not said. */
    readonly stays?: readonly FindingKind[];
  }

  const cases: readonly Case[] = [
    {
      kind: "unlisted",
      title: "a new record that no list has",
      spoil: () => redis().lrem(stage.keys.list(0, "messages"), 1, `${token}:3:1`),
    },
    {
      kind: "unlisted",
      title: "a change that no list has",
      spoil: () => redis().lrem(stage.keys.list(0, "messages"), 1, `${token}:1:2:r`),
    },
    {
      kind: "unlisted",
      title: "a refused record that is no dead letter",
      spoil: async () => {
        await redis().zrem(stage.keys.deadLetters(0), letter);
        await redis().hdel(stage.keys.deadReasons(0), letter);
      },
    },
    {
      kind: "listed-twice",
      title: "a record with two references",
      spoil: () => redis().rpush(stage.keys.list(0, "messages"), `${token}:3:1`),
      stays: ["listed-twice"],
    },
    {
      kind: "listed-twice",
      title: "a deleted new record that is listed as a change as well",
      spoil: () => redis().rpush(stage.keys.list(0, "messages"), `${token}:3:2:r`),
      stays: ["listed-twice"],
    },
    {
      kind: "listed-twice",
      title: "a dead letter that is listed as well",
      spoil: () => redis().rpush(stage.keys.list(0, "chats"), letter),
      stays: ["listed-twice"],
    },
    {
      kind: "dangling",
      title: "a reference to nothing",
      spoil: () => redis().rpush(stage.keys.list(0, "messages"), `${token}:3:99`),
      stays: ["dangling"],
    },
    {
      kind: "stray",
      title: "an entry that is no reference",
      spoil: () => redis().rpush(stage.keys.list(0, "messages"), "what is this"),
      stays: ["stray"],
    },
    {
      kind: "stray",
      title: "a reference in the other list",
      spoil: () => redis().rpush(stage.keys.list(0, "messages"), `${token}:99`),
      stays: ["stray"],
    },
    {
      kind: "two-homes",
      title: "a record that waits and was refused",
      spoil: async () => {
        const payload = (await redis().hget(stage.keys.pending(waiting()), "1")) ?? "";
        await redis().hset(stage.keys.dead(waiting()), "1", payload);
        await stage.weigh(waiting(), payload.length);
      },
      besides: ["unlisted"],
      stays: ["two-homes", "unlisted"],
    },
    {
      kind: "half-deleted",
      title: "a deleted new record of which the revisions do not tell",
      spoil: async () => {
        const payload = (await redis().hget(stage.keys.revisions(waiting()), "2")) ?? "";
        await redis().hdel(stage.keys.revisions(waiting()), "2");
        await stage.weigh(waiting(), -payload.length);
      },
      stays: ["half-deleted"],
    },
    {
      kind: "beneath-deleted",
      title: "records beneath a deleted chat",
      spoil: () => redis().hset(stage.keys.counter(waiting()), "deleted", 1),
      besides: ["partition-bytes"],
      stays: ["beneath-deleted"],
    },
    {
      kind: "counter-bytes",
      title: "a counter with another sum",
      spoil: () => redis().hincrby(stage.keys.counter(waiting()), "bytes", 5),
    },
    {
      kind: "counter-bytes",
      title: "records without a counter",
      spoil: () => redis().del(stage.keys.counter(waiting())),
    },
    {
      kind: "counter-expires",
      title: "a counter that expires above what waits",
      spoil: () => redis().expire(stage.keys.counter(waiting()), 3600),
    },
    {
      kind: "counter-behind-pending",
      title: "a counter behind what waits",
      spoil: () => redis().hset(stage.keys.counter(waiting()), "last", 3),
    },
    {
      kind: "counter-not-dense",
      title: "a counter that says that numbers are dense where they are not",
      spoil: () => redis().hset(stage.keys.counter(waiting()), "last", 5, "written", 1),
    },
    {
      kind: "counter-behind-mysql",
      title: "a counter behind the rows",
      spoil: () => redis().hset(stage.keys.counter(stored()), "last", 2),
    },
    {
      kind: "expires",
      title: "records that expire",
      spoil: () => redis().expire(stage.keys.pending(waiting()), 3600),
    },
    {
      kind: "expires",
      title: "a list that expires",
      spoil: () => redis().expire(stage.keys.list(0, "chats"), 3600),
    },
    {
      kind: "wrong-type",
      title: "a key of another type",
      spoil: () => redis().set(stage.keys.pending({ token: "somebody" }), "text"),
      stays: ["wrong-type"],
    },
    {
      kind: "misplaced",
      title: "a key of another partition",
      spoil: () => redis().hset(stage.keys.counter(waiting()).replace("{0}", "{7}"), "last", 1),
      stays: ["misplaced"],
    },
    {
      kind: "letter-without-record",
      title: "a dead letter without its record",
      spoil: async () => {
        const payload = (await redis().hget(stage.keys.dead({ token }), "2")) ?? "";
        await redis().hdel(stage.keys.dead({ token }), "2");
        await stage.weigh({ token }, -payload.length);
      },
      stays: ["letter-without-record"],
    },
    {
      kind: "letter-without-reason",
      title: "a dead letter without a reason",
      spoil: () => redis().hdel(stage.keys.deadReasons(0), letter),
    },
    {
      kind: "reason-without-letter",
      title: "a reason without a dead letter",
      spoil: () => redis().hset(stage.keys.deadReasons(0), `${token}:9:d`, "ER_DATA_TOO_LONG"),
    },
    {
      kind: "set-aside-without-letter",
      title: "what is set aside and no dead letter",
      spoil: () => redis().hset(stage.keys.setAside(0), `${token}:9:d:operation-000009`, "payload"),
    },
    {
      kind: "partition-bytes",
      title: "a partition with another sum",
      spoil: () => redis().hincrby(stage.keys.meta(0), "bytes", -7),
    },
    {
      kind: "owed-total",
      title: "another count of owed documents",
      spoil: () => redis().hincrby(stage.keys.meta(0), "owed", 3),
    },
    {
      kind: "owed-unlisted",
      title: "owed documents of a chat that is not listed",
      spoil: async () => {
        await redis().zadd(stage.keys.owed(stored()), 7, "1");
        await redis().hincrby(stage.keys.meta(0), "owed", 1);
      },
    },
    {
      kind: "owed-nothing",
      title: "a chat that owes nothing",
      spoil: () => redis().zadd(stage.keys.owedChats(0), 7, `${token}:1`),
    },
    {
      kind: "odd-path",
      title: "a path that is none",
      spoil: () => redis().zadd(stage.keys.dirty(0), 7, "what is this"),
      stays: ["odd-path"],
    },
    {
      kind: "epoch-differs",
      title: "a Redis of another epoch",
      spoil: () => redis().hset(stage.keys.meta(0), "epoch", "another"),
      stays: ["epoch-differs"],
    },
    {
      kind: "commits-lost",
      title: "a MySQL that is behind what it had committed",
      spoil: () => redis().hset(stage.keys.meta(0), "committed", 1000),
      stays: ["commits-lost"],
    },
  ];

  for (const { kind, title, spoil, besides = [], stays = [] } of cases) {
    it(`does not with ${title}, which is ${stays.includes(kind) ? "told" : "put right"}`, async () => {
      await spoil();
      expect(await stage.kinds()).to.deep.equal([kind, ...besides].sort());
      await stage.buffer.mending.mend((await stage.look()).findings);
      expect(await stage.kinds()).to.deep.equal([...stays]);
    });
  }

  it("does not where a chat is in neither store and records wait beneath it", async () => {
    const row = (await stage.workspace.sql("chats").where({ number: 1 }).first()) as object;
    await stage.workspace.sql("chats").where({ number: 1 }).delete();
    expect(await stage.kinds()).to.deep.equal(["parent-missing"]);
    await stage.workspace.sql("chats").insert(row);
    expect(await stage.kinds()).to.deep.equal([]);
  });

  it("does not where Redis is behind what MySQL has of its flushes", async () => {
    const partitions = stage.workspace.sql("partitions");
    const [row] = (await partitions.clone().select("flush_sequence")) as { flush_sequence: number }[];
    await partitions.clone().update({ flush_sequence: 1000 });
    expect(await stage.kinds()).to.deep.equal(["sequence-behind"]);
    await partitions.clone().update({ ...row });
    expect(await stage.kinds()).to.deep.equal([]);
  });

  it("does also after all was flushed", async () => {
    await stage.drain();
    expect((await stage.look()).findings).to.deep.equal([]);
    kept = await stage.keep();
  });
});
