import { expect } from "chai";

import type { MessageKey, MessageText } from "../../src/search/documents.ts";
import { toDocument } from "../../src/search/documents.ts";
import { describeWithElasticsearch, elasticsearchUrl } from "../support/elasticsearch.ts";
import { chatOf, SearchStage } from "./search-stage.ts";

const same = { missing: 0, stale: 0, extra: 0 };
const [chats, messagesEach] = [20, 30];
const tokens = ["a", "b", "c"].map((letter) => letter.repeat(22));
const all = tokens.flatMap((token) =>
  Array.from({ length: chats }, (_, at) => chatOf({ token, chatNumber: at + 1 }, bodies())).flat(),
);

function bodies(): string[] {
  return Array.from({ length: messagesEach }, (_, at) => `text number ${at + 1}`);
}

describeWithElasticsearch("Building an index anew", function () {
  this.timeout(120_000);
  let stage: SearchStage;

  beforeEach(async () => {
    stage = await SearchStage.open(elasticsearchUrl());
    await stage.insert(all);
  });

  afterEach(() => stage.close());

  /** As the indexer does with what is owed: the row as it is now, under a sequence taken before. */
  async function indexNow(key: MessageKey): Promise<void> {
    const version = Date.now();
    const [row] = await stage.store.searching.find([key]);
    const targets = await stage.indices.targets();
    await stage.writer.write(targets, [{ key, version, document: row && toDocument(row) }]);
    await stage.indices.refresh(targets);
  }

  const place = ({ token, chatNumber, number }: MessageKey) => ({
    application_token: token,
    chat_number: chatNumber,
    number,
  });

  it("takes all messages there are, and leaves one index", async () => {
    const first = await stage.rebuild();
    expect(first).to.include({ messages: all.length, refused: 0, isResumed: false });
    expect(await stage.differences()).to.deep.equal(same);
    const second = await stage.rebuild();
    expect(second.index).not.to.equal(first.index);
    expect(await stage.indices.targets()).to.deep.equal([`${second.index}-writes`]);
    expect(await stage.client.indices.exists({ index: first.index })).to.equal(false);
    expect(await stage.differences()).to.deep.equal(same);
  });

  it("misses nothing of what is written, changed and deleted meanwhile, before and behind where it is", async () => {
    await stage.rebuild();
    const at = (index: number): MessageText =>
      all[index] ?? { token: "", chatNumber: 0, number: 0, body: "" };
    let page = 0;
    const messages = {
      ...bound(stage.store.searching),
      page: async (...args: Parameters<typeof stage.store.searching.page>) => {
        const rows = await stage.store.searching.page(...args);
        // Between the reading of a page and its writing, each in another way, on what was and what will be read.
        page += 1;
        const [changed, deleted] = [at((page * 131) % all.length), at((page * 173) % all.length)];
        const { sql } = stage.workspace;
        await sql("messages")
          .where(place(changed))
          .update({ body: `changed in round ${page}` });
        await indexNow(changed);
        await sql("messages").where(place(deleted)).delete();
        await indexNow(deleted);
        return rows;
      },
    };
    await stage.rebuild({ messages, pageSize: 200 });
    expect(page).to.be.greaterThan(8);
    expect(await stage.differences()).to.deep.equal(same);
  });

  it("leaves no document of a chat that is deleted, and its documents removed, while its page is in hand", async () => {
    await stage.rebuild();
    const [token = ""] = tokens;
    const messages = {
      ...bound(stage.store.searching),
      page: async (...args: Parameters<typeof stage.store.searching.page>) => {
        const rows = await stage.store.searching.page(...args);
        await stage.workspace.sql("chats").where({ application_token: token, number: 1 }).delete();
        const targets = await stage.indices.targets();
        await stage.indices.refresh(targets);
        await stage.writer.remove(targets, { token, chatNumber: 1 });
        return rows;
      },
    };
    await stage.rebuild({ messages });
    expect(await stage.differences()).to.deep.equal(same);
    expect(await stage.found({ token, chatNumber: 1 }, "text")).to.deep.equal([]);
  });

  it("goes on where it was broken off, with the old index searched until then", async () => {
    const { index: old } = await stage.rebuild();
    let pages = 0;
    const dying = stage.rebuild({
      pageSize: 20,
      onProgress: () => {
        pages += 1;
        if (pages === 50) throw new Error("killed");
      },
    });
    expect(await dying.catch((error: unknown) => String(error))).to.include("killed");
    expect(await stage.client.indices.exists({ index: old })).to.equal(true);
    expect(await stage.found({ token: tokens[2] ?? "", chatNumber: 1 }, "number 7")).to.deep.equal([
      7, 17, 27,
    ]);
    const [changed] = all;
    if (!changed) throw new Error("there are no messages");
    await stage.workspace.sql("messages").where(place(changed)).update({ body: "changed after the kill" });
    await indexNow(changed);
    const resumed = await stage.rebuild({ pageSize: 20 });
    expect(resumed).to.include({ isResumed: true, messages: all.length - 40 * 20 });
    expect(await stage.differences()).to.deep.equal(same);
  });
});

describeWithElasticsearch("Comparing an index with MySQL", () => {
  let stage: SearchStage;

  before(async () => {
    stage = await SearchStage.open(elasticsearchUrl());
    await stage.insert(all);
    await stage.rebuild();
  });

  after(() => stage.close());

  it("finds what is missing, stale and extra, and nothing else", async () => {
    const { sql } = stage.workspace;
    const [token = "", second = "", third = ""] = tokens;
    const key = { token, chatNumber: 3, number: 5 };
    const mended: MessageKey[] = [];
    const removed: unknown[] = [];
    // Missing, in the middle of the index.
    const targets = await stage.indices.targets();
    await stage.writer.write(targets, [{ key, version: 9, document: undefined }]);
    // Stale, as if a change had never been told.
    await sql("messages")
      .where({ application_token: second, chat_number: 1, number: 1 })
      .update({ body: "other" });
    // Extra: beyond the last message of an application, of a deleted chat, and of a deleted application.
    const beyond = { token, chatNumber: 999, number: 1, body: "ghost" };
    await stage.writer.write(targets, [{ key: beyond, version: 9, document: toDocument(beyond) }]);
    await sql("chats").where({ application_token: second, number: 7 }).delete();
    await sql("applications").where({ token: third }).delete();
    await stage.indices.refresh(targets);
    const found = await stage.differences({
      mend: (keys) => {
        mended.push(...keys);
        return Promise.resolve();
      },
      mendRemoval: (scope) => {
        removed.push(scope);
        return Promise.resolve();
      },
    });
    expect(found).to.deep.equal({ missing: 1, stale: 1, extra: 1 + messagesEach + chats * messagesEach });
    expect(removed).to.deep.equal([{ token: third }]);
    expect(mended).to.have.lengthOf(3 + messagesEach);
    expect(mended.map(({ number }) => number)).to.include(5);
  });

  it("passes over what is owed", async () => {
    const found = await stage.differences({
      owedAmong: (keys) =>
        Promise.resolve(
          new Set(keys.map(({ token, chatNumber, number }) => `${token}:${chatNumber}:${number}`)),
        ),
      accepts: (token) => token !== tokens[2],
    });
    expect(found).to.deep.equal(same);
  });
});

/** The methods of an object as functions of their own, for others to be put among them. */
function bound(real: SearchStage["store"]["searching"]) {
  return {
    find: real.find.bind(real),
    page: real.page.bind(real),
    tokens: real.tokens.bind(real),
    hasApplication: real.hasApplication.bind(real),
  };
}
