import { expect } from "chai";

import { describeWithElasticsearch, elasticsearchUrl } from "../support/elasticsearch.ts";
import { compareHits, type Engine } from "../../src/search/search.ts";
import { chatOf, queryOf, SearchStage } from "./search-stage.ts";

const chat = { token: "a".repeat(22), chatNumber: 1 };

const bodies = [
  "Hello world, this is the first message", // 1
  "hello Hello HELLO", // 2
  "Unbelievable! I believe in Café au lait", // 3
  "the decaf cafe is closed", // 4
  "world hello", // 5
  "say hello world again", // 6
  "othello worldwide", // 7
  "السَّلَامُ عَلَيْكُمْ ورحمة الله", // 8
  "السلام عليكم", // 9
  "والكتاب على الطاولة", // 10
  "東京都に行きます", // 11
  "明日は京都です", // 12
  "我们明天见面吧", // 13
  "안녕하세요 여러분", // 14
  "great job 👍🏽 thanks", // 15
  "ok 👍", // 16
  "family 👨‍👩‍👧 trip", // 17
  "const user_name = getUserById(42); // TODO: fix", // 18
  "see https://example.com/a/b?c=d%20e&f=g#top", // 19
  "100% sure, no * or ? here", // 20
  "C:\\temp\\new_folder", // 21
  'she said "hi there" twice', // 22
  `long ${"x".repeat(3000)}needle${"y".repeat(3000)}`, // 23
  "Straße in İstanbul", // 24
  "strasse in istanbul", // 25
  "किताब और कलम", // 26
  "น้ำใจดีมาก", // 27
  "a", // 28
  "-", // 29
  "c++ and c# and f#", // 30
  "line one\nline two\ttabbed", // 31
  "Crème brûlée", // 32
  "Cre\u0300me bru\u0302le\u0301e", // 33
  "snake_case_name", // 34
  "<b>bold</b> & \u0000 nul", // 35
] as const;

/** Query → numbers of the messages that match, in order. */
const table: readonly (readonly [query: string, numbers: readonly number[]])[] = [
  ["hello", [1, 2, 5, 6, 7]],
  ["hello world", [1, 6, 5, 7]],
  ["world hello", [5, 1, 6, 7]],
  ["HELLO, WORLD", []],
  ["world,", [1]],
  ["liev", [3]],
  ["believe", [3]],
  ["caf", [3, 4]],
  ["CAFÉ", [3, 4]],
  ["decaf cafe", [4]],
  ["السلام", [8, 9]],
  ["السلام عليكم", [8, 9]],
  ["كتاب", [10]],
  ["東京", [11]],
  ["京都", [11, 12]],
  ["京", [11, 12]],
  ["明", [12, 13]],
  ["明天", [13]],
  ["하세", [14]],
  ["👍", [15, 16]],
  ["👍🏽", [15]],
  ["👩", [17]],
  ["👨‍👩‍👧", [17]],
  ["user_name", [18]],
  ["UserBy", [18]],
  ["(42);", [18]],
  ["xample.com/a", [19]],
  ["%20", [19]],
  ["d%20e&f", [19]],
  ["%", [19, 20]],
  ["100%", [20]],
  ["_", [18, 21, 34]],
  ["*", [20]],
  ["?", [19, 20]],
  ["\\", [21]],
  ["\\temp\\new_f", [21]],
  ['"hi there"', [22]],
  ['"', [22]],
  ["xxneedleyy", [23]],
  [`${"x".repeat(100)}needle${"y".repeat(100)}`, [23]],
  ["x".repeat(256), [23]],
  ["STRASSE istanbul", [24, 25]],
  ["straße", [24, 25]],
  ["कताब", []],
  ["किताब", [26]],
  ["น้ำ", [27]],
  ["c++", [30]],
  ["c#", [30]],
  ["# f", [19, 30]],
  ["-", [29]],
  ["one line", [31]],
  ["one line two", [31]],
  ["creme brulee", [32, 33]],
  ["crème", [32, 33]],
  ["brulée cre", [32, 33]],
  ["case", [34]],
  ["ake_c", [34]],
  ["</b>", [35]],
  ["\u0000", [35]],
  ["nothing like that", []],
  ["hello NOT world", []],
  ["hello OR world", [1, 5, 6, 7]],
  ["hel* wor?d", []],
];

describeWithElasticsearch("Both engines", () => {
  let stage: SearchStage;
  let engines: readonly Engine[];

  before(async () => {
    stage = await SearchStage.open(elasticsearchUrl());
    engines = [stage.elastic, stage.standIn];
    await stage.insert([
      ...chatOf(chat, bodies),
      ...chatOf({ token: "b".repeat(22), chatNumber: 1 }, bodies),
    ]);
    await stage.workspace.sql("chats").insert({
      application_token: chat.token,
      number: 2,
      operation_id: "x".repeat(16),
      created_at: new Date(),
      updated_at: new Date(),
    });
    await stage.rebuild();
  });

  after(() => stage.close());

  async function numbers(engine: Engine, text: string, over: { except?: number[]; limit?: number } = {}) {
    const hits = await engine.find({ ...chat, query: queryOf(text), except: [], limit: 100, ...over });
    return hits.map(({ number }) => number);
  }

  for (const [text, expected] of table) {
    it(`find ${JSON.stringify(text.slice(0, 40))} in ${expected.length === 0 ? "nothing" : expected.join(", ")}`, async () => {
      for (const engine of engines) {
        expect(await numbers(engine, text), engine.name).to.deep.equal(expected);
      }
    });
  }

  it("give the same ranks", async () => {
    for (const [text] of table) {
      const request = { ...chat, query: queryOf(text), except: [], limit: 100 };
      const [elastic, standIn] = await Promise.all(engines.map((engine) => engine.find(request)));
      expect(elastic, text).to.deep.equal(standIn);
      expect(elastic, text).to.deep.equal([...(standIn ?? [])].sort(compareHits));
    }
  });

  it("leave out what is excepted, and give no more than is wanted", async () => {
    for (const engine of engines) {
      expect(await numbers(engine, "hello", { except: [1, 6] }), engine.name).to.deep.equal([2, 5, 7]);
      expect(await numbers(engine, "hello", { limit: 2 }), engine.name).to.deep.equal([1, 2]);
    }
    const many = Array.from({ length: 20_000 }, (_, at) => at + 3);
    for (const engine of engines)
      expect(await numbers(engine, "hello", { except: many })).to.deep.equal([1, 2]);
  });

  it("find nothing in another chat, or in one that there is not", async () => {
    for (const engine of engines) {
      const request = { token: chat.token, chatNumber: 2, query: queryOf("hello"), except: [], limit: 10 };
      expect(await engine.find(request), engine.name).to.deep.equal([]);
      expect(await engine.find({ ...request, token: "c".repeat(22), chatNumber: 1 })).to.deep.equal([]);
    }
  });
});
