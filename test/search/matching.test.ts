import { expect } from "chai";
import fc from "fast-check";

import { fold, mark, parseQuery, type Query, rankOf, rankOfText, ranks } from "../../src/search/matching.ts";

function queryOf(text: string): Query {
  const parsed = parseQuery(text);
  if (parsed.kind !== "query") throw new Error(`${parsed.kind}: ${text}`);
  return parsed.query;
}

const rankIn = (text: string, query: string) => rankOf(mark(text), queryOf(query));

const { phrase, words, starts, inside } = ranks;

/** Text, query, and how well the one matches the other. */
const table: readonly (readonly [text: string, query: string, rank: number | undefined])[] = [
  ["The quick brown fox", "quick brown", phrase],
  ["The quick brown fox", "brown quick", words],
  ["The quick brown fox", "bro qui", starts],
  ["The quick brown fox", "row uic", inside],
  ["The quick brown fox", "quick green", undefined],
  ["The quick brown fox", "ick bro", inside],
  ["The quick brown fox", "fox", phrase],
  ["The  quick\n\tbrown", "quick brown", phrase],
  // Case and accents.
  ["Crème brûlée", "CREME BRULEE", phrase],
  ["Creme brulee", "crème", phrase],
  ["Cre\u0300me", "crème", phrase],
  ["ÅNGSTRÖM", "angstrom", phrase],
  ["Straße", "STRASSE", phrase],
  ["Strasse", "straße", phrase],
  ["GROẞ", "groß", phrase],
  ["ﬁnance Ｗｉｄｅ", "finance wide", phrase],
  ["ΟΔΟΣ", "οδος", phrase],
  ["οδός", "ΟΔΟΣ", phrase],
  ["Жёлтый", "желтый", phrase],
  // The four Turkish i are one.
  ["İstanbul ısı", "istanbul", phrase],
  ["ISI", "ısı", phrase],
  // Arabic and Hebrew, with and without points; direction marks.
  ["السَّلَامُ عَلَيْكُمْ", "السلام عليكم", phrase],
  ["السلام عليكم", "السَّلَام", phrase],
  ["والكتاب", "كتاب", inside],
  ["שָׁלוֹם", "שלום", phrase],
  ["\u200Fسلام\u200F", "سلام", phrase],
  // No spaces: a run is one word.
  ["東京都に行きます", "東京", starts],
  ["東京都に行きます", "京都", inside],
  ["東京都に行きます", "東京都に行きます", phrase],
  ["ﾊﾝﾊﾞｰｶﾞｰ", "ハンバーガー", phrase],
  ["が", "か", undefined],
  ["我们明天见面", "明天", inside],
  ["안녕하세요 여러분", "안녕", starts],
  ["안녕하세요".normalize("NFD"), "하세", inside],
  // Vowel signs are letters, not accents.
  ["किताब", "कताब", undefined],
  ["किताब", "किताब", phrase],
  ["น้ำใจ", "น้ำ", starts],
  // Emoji: a plain one finds its variants, not the other way round.
  ["ok 👍🏽 done", "👍", phrase],
  ["ok 👍 done", "👍🏽", undefined],
  ["family 👨‍👩‍👧 trip", "👩", phrase],
  ["family 👨‍👩‍👧 trip", "👨‍👩‍👧", phrase],
  ["I ❤️ it", "❤", phrase],
  ["go🚀go", "🚀", phrase],
  // Code and addresses; underscores and other signs end words.
  ["const user_name = foo->bar();", "name", phrase],
  ["const user_name = foo->bar();", "user_name", phrase],
  ["const user_name = foo->bar();", "r_n", inside],
  ["const user_name = foo->bar();", "foo->b", starts],
  ["getUserById(42)", "ById(4", inside],
  ["c++ and c#", "c++", phrase],
  ["see https://example.com/a/b?c=d%20e", "example.com/a", phrase],
  ["see https://example.com/a/b?c=d%20e", "xample.co", inside],
  // Nothing is syntax.
  ["100% sure", "100%", phrase],
  ["100 sure", "%", undefined],
  ["100 sure", "_", undefined],
  ["sn_ke", "n_k", inside],
  ["snake", "n_k", undefined],
  ["a * b", "*", phrase],
  ["a b", "*", undefined],
  ['say "hi there"', '"hi there"', phrase],
  ["hi there", '"hi', undefined],
  ["C:\\temp\\new", "\\temp\\n", starts],
  ["tempnew", "\\", undefined],
  ["a OR b", "NOT", undefined],
  ["this AND that", "and", phrase],
  ["[a](b)", "](", phrase],
  // Long words.
  [`x${"y".repeat(5000)}z`, `${"y".repeat(100)}z`, inside],
  [`x${"y".repeat(5000)}z`, `${"y".repeat(100)}x`, undefined],
  // Not in text, whoever wrote it.
  ["a\uE000b", "a\uE000b", phrase],
  ["ab", "\uE000", undefined],
  ["soft\u00ADhyphen", "softhyphen", phrase],
];

describe("Matching", () => {
  for (const [text, query, rank] of table) {
    it(`ranks ${JSON.stringify(query.slice(0, 40))} in ${JSON.stringify(text.slice(0, 40))} ${rank ?? "nowhere"}`, () => {
      expect(rankIn(text, query)).to.equal(rank);
      expect(rankOfText(text, queryOf(query))).to.equal(rank);
    });
  }

  it("finds every part of a text, of whole visible characters, that has no white space at its ends", () => {
    const graphemes = fc.array(
      fc.oneof(fc.string({ unit: "grapheme", maxLength: 4 }), fc.constantFrom(" ", "ß", "İ", "_", "Σ")),
    );
    fc.assert(
      fc.property(graphemes, fc.nat(), fc.nat(), (units, from, length) => {
        const whole = units.join("");
        const visible = Array.from(new Intl.Segmenter().segment(whole), ({ segment }) => segment);
        const part = visible
          .slice(from % (visible.length + 1))
          .slice(0, 1 + (length % 20))
          .join("")
          .trim();
        const parsed = parseQuery(part);
        if (parsed.kind === "query") expect(rankOf(mark(whole), parsed.query)).to.be.a("number");
      }),
      { numRuns: 2000 },
    );
  });

  it("changes nothing that is folded already", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(fold(fold(text))).to.equal(fold(text));
      }),
      { numRuns: 2000 },
    );
  });

  it("folds lower-casing only what is ASCII, as a case-insensitive LIKE compares it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii" }), (text) => {
        expect(fold(text)).to.equal(text.toLowerCase().replace(/\s+/g, " ").trim());
      }),
    );
  });

  it("refuses what is blank, too long, or of too many terms", () => {
    for (const blank of ["", "  \n", "\u200B", "\u0301"]) expect(parseQuery(blank).kind).to.equal("blank");
    expect(parseQuery("x".repeat(257)).kind).to.equal("too-long");
    expect(parseQuery("👍".repeat(256)).kind).to.equal("query");
    expect(parseQuery(Array.from({ length: 33 }, (_, at) => `w${at}`).join(" ")).kind).to.equal(
      "too-many-terms",
    );
  });
});
