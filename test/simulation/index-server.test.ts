import { expect } from "chai";

import type { MessageKey, MessageText } from "../../src/search/documents.ts";
import { documentId, toDocument } from "../../src/search/documents.ts";
import type { DocumentChange } from "../../src/search/index-writer.ts";
import { IndexReader } from "../../src/search/index-reader.ts";
import { Random } from "../support/random.ts";
import { SearchStage } from "../search/search-stage.ts";
import { describeWithElasticsearch, elasticsearchUrl } from "../support/elasticsearch.ts";
import { IndexServer } from "./index-server.ts";

const operations = 120;
const tokens = ["a", "b"].map((letter) => letter.repeat(22));
const wholeOf = (token: string) => ({ token, after: { chatNumber: 0, number: 0 }, upTo: undefined });

describeWithElasticsearch("the simulated search index", () => {
  let stage: SearchStage;
  let reader: IndexReader;
  let targets: readonly string[];

  before(async () => {
    stage = await SearchStage.open(elasticsearchUrl());
    await stage.rebuild();
    reader = new IndexReader(stage.client, stage.indices.alias);
    targets = await stage.indices.targets();
  });

  after(() => stage.close());

  /** The same operation on both. */
  async function act(model: IndexServer, random: Random): Promise<string> {
    const key = keyFrom(random);
    const { token, chatNumber } = key;
    const what = random.integer(1, 10);
    if (what === 1) {
      const scope = random.next() < 0.5 ? { token } : { token, chatNumber };
      // It knows what was refreshed before it, and may also meet what was not.
      await stage.indices.refresh([...targets]);
      model.refresh();
      await stage.writer.remove(targets, scope);
      model.remove(scope);
      return `remove ${JSON.stringify(scope)}`;
    }
    if (what === 2) {
      await stage.indices.refresh([...targets]);
      model.refresh();
      return "refresh";
    }
    const changes = Array.from({ length: random.integer(1, 4) }, () => changeFrom(random));
    const [real, modelled] = [await stage.writer.write(targets, changes), model.write(changes)];
    expect(real).to.deep.equal(modelled);
    return `write ${JSON.stringify(changes)}`;
  }

  it("takes versions, deletions and removals as a real one does, and shows the same after a refresh", async () => {
    const [model, random, done] = [new IndexServer(), new Random(1), [] as string[]];
    for (let nth = 0; nth < operations; nth += 1) {
      done.push(await act(model, random));
      await stage.indices.refresh([...targets]);
      model.refresh();
      for (const token of tokens) {
        const real = await reader.stretch(wholeOf(token));
        expect(real, done.slice(-5).join("\n")).to.deep.equal(model.stretch(wholeOf(token)));
      }
    }
    const [token = ""] = tokens;
    const stretch = { token, after: { chatNumber: 1, number: 1 }, upTo: { chatNumber: 2, number: 2 } };
    expect(await reader.stretch(stretch)).to.deep.equal(model.stretch(stretch));
    const ids = [1, 2, 3].map((number) => documentId({ token, chatNumber: 1, number }));
    expect(await reader.find(token, ids)).to.deep.equal(model.find(token, ids));
    expect(await reader.tokens("", 10)).to.deep.equal(model.tokens("", 10));
    expect(model.documents).not.to.deep.equal([]);
  });
});

function keyFrom(random: Random): MessageKey {
  const [token = ""] = random.shuffled(tokens);
  return { token, chatNumber: random.integer(1, 2), number: random.integer(1, 3) };
}

/** Of a version that may be older than what is there, or the same. */
function changeFrom(random: Random): DocumentChange {
  const key = keyFrom(random);
  const row: MessageText = { ...key, body: `body ${random.integer(1, 9)}` };
  const document = random.next() < 0.7 ? toDocument(row) : undefined;
  return { key, version: random.integer(1, 40), document };
}
