import { expect } from "chai";

import type { Buffer } from "../../src/buffer/buffer.ts";
import { openBuffer } from "../../src/buffer/buffer.ts";
import { OwedOfPartition } from "../../src/flusher/owed-of-partition.ts";
import { type MessageKey, toDocument } from "../../src/search/documents.ts";
import { Indexer, type IndexerParts } from "../../src/search/indexer.ts";
import { writeAlias } from "../../src/search/indices.ts";
import { IndexBusyError } from "../../src/search/rebuild.ts";
import { roomyLimits } from "../support/buffers.ts";
import { describeWithElasticsearch, elasticsearchUrl } from "../support/elasticsearch.ts";
import { chatOf, SearchStage } from "./search-stage.ts";

const same = { missing: 0, stale: 0, extra: 0 };
const body = (number: number) => `message number ${number} says something`;

describeWithElasticsearch("The indexer", () => {
  let stage: SearchStage;
  let buffer: Buffer;
  let made = 0;
  let chat: Omit<MessageKey, "number">;

  before(async () => {
    stage = await SearchStage.open(elasticsearchUrl());
    const { redis } = stage.workspace.config;
    buffer = await openBuffer({ ...redis, limits: roomyLimits, mostOwed: 1000 }, "draining");
    await stage.rebuild();
  });

  after(async () => {
    buffer.close();
    await stage.close();
  });

  beforeEach(async () => {
    made += 1;
    chat = { token: `${"t".repeat(20)}${String(made).padStart(2, "0")}`, chatNumber: 1 };
    await stage.insert(chatOf(chat, [1, 2, 3].map(body)));
  });

  const keys = (...numbers: number[]) => numbers.map((number) => ({ ...chat, number }));
  const owe = (...numbers: number[]) => buffer.owed.owe(0, keys(...numbers));
  const owedCount = async () => (await buffer.owed.totals(0)).documents;
  const rows = (...numbers: number[]) =>
    stage.workspace.sql("messages").where("application_token", chat.token).whereIn("number", numbers);

  function indexerWith(over: Partial<IndexerParts> = {}): Indexer {
    return new Indexer({
      owed: new OwedOfPartition(buffer, 0),
      messages: stage.store.searching,
      indices: stage.indices,
      writer: stage.writer,
      clock: { nowMs: () => performance.now(), sleep: () => Promise.resolve() },
      log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
      backoffMs: () => 0,
      isOutage: () => true,
      ...over,
    });
  }

  it("writes what is owed, so that what is owed no longer is found", async () => {
    await owe(1, 2, 3);
    await indexerWith().round();
    expect(await owedCount()).to.equal(0);
    expect(await stage.found(chat, "something")).to.deep.equal([1, 2, 3]);
    expect(await stage.differences()).to.deep.equal(same);
  });

  it("brings changes and deletions into the index, of chats and applications as well", async () => {
    await owe(1, 2, 3);
    await indexerWith().round();
    await rows(1).update({ body: "quite another thing" });
    await rows(2).delete();
    await owe(1, 2);
    await indexerWith().round();
    expect(await stage.found(chat, "something")).to.deep.equal([3]);
    expect(await stage.found(chat, "another")).to.deep.equal([1]);
    await stage.workspace.sql("chats").where("application_token", chat.token).delete();
    await buffer.owed.oweRemoval(chat);
    await indexerWith().round();
    expect(await stage.found(chat, "another")).to.deep.equal([]);
    expect(await buffer.owed.removals(0, 10)).to.deep.equal([]);
  });

  it("counts the rows of a deleted chat as gone, though they still lie there", async () => {
    await owe(1, 2, 3);
    await indexerWith().round();
    await stage.workspace.sql("chats").where("application_token", chat.token).delete();
    await owe(1, 2);
    await indexerWith().round();
    expect(await stage.found(chat, "something")).to.deep.equal([3]);
    await owe(3);
    await indexerWith().round();
  });

  it("lets a writer that comes late with an older version do nothing, also after a deletion", async () => {
    const targets = await stage.indices.targets();
    const late = await buffer.owed.owe(0);
    await owe(1, 2);
    await rows(1).update({ body: "the newer text" });
    await rows(2).delete();
    await indexerWith().round();
    const changes = keys(1, 2).map((key) => ({
      key,
      version: late,
      document: toDocument({ ...key, body: body(key.number) }),
    }));
    expect(await stage.writer.write(targets, changes)).to.deep.equal([{ kind: "done" }, { kind: "done" }]);
    await stage.indices.refresh(targets);
    expect(await stage.found(chat, "something")).to.deep.equal([]);
    expect(await stage.found(chat, "newer")).to.deep.equal([1]);
    await owe(3);
    await indexerWith().round();
  });

  it("leaves what the index does not take now, and writes it when it does", async () => {
    const [target = ""] = await stage.indices.targets();
    const block = (isBlocked: boolean | null) =>
      stage.client.indices.putSettings({ index: target, settings: { "index.blocks.write": isBlocked } });
    await owe(1, 2, 3);
    await block(true);
    try {
      const outcome: unknown = await indexerWith()
        .round()
        .catch((error: unknown) => error);
      expect(outcome).to.be.instanceOf(IndexBusyError);
      expect(await owedCount()).to.equal(3);
    } finally {
      await block(null);
    }
    await indexerWith().round();
    expect(await owedCount()).to.equal(0);
    expect(await stage.differences()).to.deep.equal(same);
  });

  it("keeps apart what an index never takes, with the reason, and until it does take it", async () => {
    const index = `${stage.indices.alias}-odd`;
    // Without the template, which would set its own mapping against this one.
    await stage.client.indices.deleteIndexTemplate({ name: stage.indices.alias });
    await stage.client.indices.create({
      index,
      mappings: { properties: { number: { type: "boolean" } } },
      aliases: { [writeAlias(index)]: {}, [`${stage.indices.alias}-targets`]: {} },
    });
    await owe(1, 2, 3);
    await indexerWith().round();
    expect(await owedCount()).to.equal(0);
    expect(await buffer.indexTotals.read(0)).to.include({ refused: 3 });
    const reasons = await stage.workspace.redis.hvals(
      `${stage.workspace.config.redis.namespace}:{0}:index-refused`,
    );
    expect(new Set(reasons)).to.deep.equal(new Set(["document_parsing_exception"]));
    await stage.client.indices.delete({ index });
    await owe(1, 2, 3);
    await indexerWith().round();
    expect(await buffer.indexTotals.read(0)).to.include({ refused: 0 });
    expect(await stage.differences()).to.deep.equal(same);
  });

  it("loses nothing and writes nothing wrong when it dies after any step of a round", async () => {
    const steps = ["documents", "find", "targets", "write", "refresh", "settle"] as const;
    for (const deadly of steps) {
      await owe(1, 2, 3);
      await rows(1).update({ body: `before the death after ${deadly}` });
      const died: unknown = await indexerWith(dyingAfter(deadly))
        .round()
        .catch((error: unknown) => error);
      expect(died, deadly).to.equal(death);
      await rows(1).update({ body: `seen after ${deadly}` });
      await owe(1);
      await indexerWith().round();
      expect(await stage.found(chat, `seen after ${deadly}`), deadly).to.deep.equal([1]);
      expect(await stage.differences(), deadly).to.deep.equal(same);
      expect(await owedCount(), deadly).to.equal(0);
    }
  });

  const death = new Error("killed");

  /** Parts of a process that is killed after one of its steps: nothing that it does later has an effect. */
  function dyingAfter(step: string): Partial<IndexerParts> {
    let isDead = false;
    const mortal = <T extends object>(real: T): T =>
      new Proxy(real, {
        get: (_, name) => {
          const method: unknown = Reflect.get(real, name);
          if (typeof method !== "function") return method;
          return async (...args: unknown[]) => {
            if (isDead) throw death;
            const result: unknown = await Reflect.apply(method, real, args);
            if (name === step) isDead = true;
            if (isDead) throw death;
            return result;
          };
        },
      });
    return {
      owed: mortal(new OwedOfPartition(buffer, 0)),
      messages: mortal(stage.store.searching),
      indices: mortal(stage.indices),
      writer: mortal(stage.writer),
    };
  }
});

function ignore(): void {
  // Nobody looks at it.
}
