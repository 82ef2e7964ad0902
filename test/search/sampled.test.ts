import { expect } from "chai";

import type { MessageText } from "../../src/search/documents.ts";
import { searchBody } from "../../src/search/elastic-engine.ts";
import { fold } from "../../src/search/matching.ts";
import type { SearchRequest } from "../../src/search/search.ts";
import { Random } from "../support/random.ts";
import { describeWithElasticsearch, elasticsearchUrl } from "../support/elasticsearch.ts";
import { queryOf, SearchStage } from "./search-stage.ts";

const [chats, messagesEach, samples] = [1000, 100, 200];
/** Of the inner substrings of a message, which are thousands, so many are drawn; of its words, all are asked. */
const substringsEach = 20;
const searchesAtOnce = 500;
/** The stand-in is asked every so many of the same questions: it takes longer. */
const standInEvery = 20;

const vocabulary = [
  "hello world the quick brown fox jumps over lazy dog meeting tomorrow deadline invoice",
  "café crème brûlée naïve Straße größer İstanbul ısı señor garçon Łódź",
  "السلام عليكم مرحبا كتاب شُكْرًا والمدرسة",
  "привет мир ёлка Жёлтый",
  "東京都に行きます 明日 会議 我们明天见面 谢谢",
  "안녕하세요 여러분 감사합니다",
  "👍 👍🏽 🚀 👨‍👩‍👧 ❤️",
  "user_name getUserById(42) foo->bar(); a.b.c x=y*z 100% C:\\temp <b> #tag @user",
  "https://example.com/a/b?c=d%20e http://localhost:3000/api/v1 unbelievablylongwordwithoutanyspaces",
].flatMap((line) => line.split(" "));

describeWithElasticsearch("Of 100,000 messages in 1,000 chats", function () {
  this.timeout(600_000);
  const random = new Random(20_260_101);
  const below = (end: number) => random.integer(0, end - 1);
  let stage: SearchStage;
  let all: readonly (MessageText & { readonly folded: string })[];

  before(async () => {
    stage = await SearchStage.open(elasticsearchUrl());
    const messages = Array.from({ length: chats * messagesEach }, (_, at) => ({
      token: `app${String(Math.floor(at / (100 * messagesEach))).padStart(19, "0")}`,
      chatNumber: (Math.floor(at / messagesEach) % 100) + 1,
      number: (at % messagesEach) + 1,
      body: Array.from({ length: 3 + below(10) }, word).join(below(9) === 0 ? "  " : " "),
    }));
    all = messages.map((message) => ({ ...message, folded: fold(message.body) }));
    await stage.insert(messages);
    await stage.rebuild();
  });

  after(() => stage.close());

  it("every word and inner substring of 200 is found in its chat, and where a plain scan finds it alone", async () => {
    const questions = Array.from({ length: samples }, () => below(all.length)).flatMap((at) =>
      partsOf(all[at]?.body ?? "").flatMap((part) => [
        { text: part, chat: chatAt(at), number: (at % messagesEach) + 1 },
        { text: part, chat: chatAt(below(all.length)), number: undefined },
      ]),
    );
    for (let from = 0; from < questions.length; from += searchesAtOnce) {
      const some = questions.slice(from, from + searchesAtOnce);
      const answers = await searchMany(some.map(({ text, chat }) => requestFor(text, chat)));
      for (const [at, { text, chat, number }] of some.entries()) {
        const expected = scan(chat, text);
        if (number !== undefined) expect(expected, text).to.include(number);
        expect(answers[at], text).to.deep.equal(expected);
      }
    }
    for (const { text, chat } of questions.filter((_, at) => at % standInEvery === 0)) {
      const hits = await stage.standIn.find(requestFor(text, chat));
      expect(sorted(hits.map(({ number }) => number)), text).to.deep.equal(scan(chat, text));
    }
  });

  function word(): string {
    return `${vocabulary[below(vocabulary.length)] ?? ""}${below(4) === 0 ? below(1000) : ""}`;
  }

  /** All words of a text, and some of what is in it, of whole visible characters. */
  function partsOf(text: string): string[] {
    const visible = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
    const inner = Array.from({ length: substringsEach }, () => {
      const from = below(visible.length);
      return visible.slice(from, from + 1 + below(20)).join("");
    });
    return [...new Set([...text.split(/\s+/), ...inner])].filter((part) => fold(part) !== "");
  }

  const chatAt = (at: number) => all.slice(at - (at % messagesEach), at - (at % messagesEach) + messagesEach);

  /** The plain way: each term somewhere in the text, both folded. */
  function scan(chat: typeof all, text: string): number[] {
    const terms = fold(text).split(" ");
    return chat
      .filter(({ folded }) => terms.every((term) => folded.includes(term)))
      .map(({ number }) => number);
  }

  function requestFor(text: string, chat: readonly MessageText[]): SearchRequest {
    const [{ token, chatNumber } = { token: "", chatNumber: 0 }] = chat;
    return { token, chatNumber, query: queryOf(text), except: [], limit: 1000 };
  }

  async function searchMany(requests: readonly SearchRequest[]): Promise<number[][]> {
    const searches = requests.flatMap((request) => {
      const { index, routing, allow_partial_search_results, ...body } = searchBody(
        stage.indices.alias,
        request,
        30_000,
      );
      return [{ index, routing, allow_partial_search_results }, body];
    });
    const { responses } = await stage.client.msearch({ searches: searches as never[] });
    return responses.map((response) => {
      if (!("hits" in response)) throw new Error(JSON.stringify(response.error));
      return sorted(response.hits.hits.map(({ sort }) => Number(sort?.[1])));
    });
  }
});

const sorted = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);
