import { expect } from "chai";

import { Settings } from "../../bench/support/benchmark.ts";
import { contest, each } from "../../bench/support/contest.ts";
import { readOutput } from "../../bench/support/load.ts";
import { replaceSection } from "../../bench/support/report.ts";
import {
  median,
  medianInterval,
  pairedRatio,
  quantile,
  ratio,
  spread,
} from "../../bench/support/statistics.ts";
import { figure, markdown, spreadText } from "../../bench/support/table.ts";

describe("The figures of a benchmark", () => {
  it("have a median between the two in the middle, and a least and a greatest", () => {
    expect(spread([3, 1, 2])).to.deep.equal({ median: 2, min: 1, max: 3 });
    expect(median([4, 1, 3, 2])).to.equal(2.5);
    expect(() => median([])).to.throw(RangeError);
  });

  it("are compared by their medians and, apart from that, round by round", () => {
    expect(ratio([10, 20, 60], [5, 10, 20])).to.deep.equal({ median: 2, min: 2, max: 3 });
  });

  it("of pairs are compared within each round, with the interval of the sign test", () => {
    const upTo = (count: number) => Array.from({ length: count }, (_, at) => count - at);
    // Its bounds for samples of these sizes, as tables of it have them.
    for (const [count, from] of [
      [5, 1],
      [6, 1],
      [8, 1],
      [9, 2],
      [15, 4],
      [20, 6],
      [25, 8],
    ] as const)
      expect(medianInterval(upTo(count)), `of ${count}`).to.deep.equal({
        median: (count + 1) / 2,
        min: from,
        max: count + 1 - from,
      });
    expect(pairedRatio([10, 20, 60], [5, 10, 20])).to.deep.equal({ median: 2, min: 2, max: 3 });
    expect(() => medianInterval([])).to.throw(RangeError);
  });

  it("have quantiles that are among the measurements", () => {
    const values = Array.from({ length: 100 }, (_, at) => 100 - at);
    expect([0.5, 0.99, 1].map((share) => quantile(values, share))).to.deep.equal([50, 99, 100]);
  });

  it("are written with three digits that count", () => {
    expect([0.456, 3, 12.345, 123.4, 12_345.6].map(figure)).to.deep.equal([
      "0.46",
      "3",
      "12.3",
      "123",
      "12,346",
    ]);
    expect(spreadText({ median: 2, min: 1, max: 12.34 })).to.equal("2 (1–12.3)");
  });

  it("make a table whose columns are aligned", () => {
    const table = { title: "kind", head: ["a second"], rows: [["long name", "1"]] };
    expect(markdown(table).split("\n")).to.deep.equal([
      "| kind      | a second |",
      "| --------- | -------- |",
      "| long name | 1        |",
    ]);
  });
});

describe("A contest", () => {
  it("gives each contestant a turn in each round, and another the first", async () => {
    const turns: string[] = [];
    const contestants = ["a", "b", "c"].map((name) => ({ name }));
    const turn = ({ name }: { name: string }, round: number) => {
      turns.push(name);
      return Promise.resolve(round);
    };
    const measured = await contest(contestants, 2, turn, () => undefined);
    expect(turns.join("")).to.equal("abcbca");
    expect(each(measured, "c", (round) => round)).to.deep.equal([0, 1]);
  });
});

describe("What wrk prints", () => {
  const line = (over: object) => {
    const result = { requests: 500, seconds: 2, p50Us: 1500, p99Us: 9000, p999Us: 12_345 };
    return `Running 2s test\n${JSON.stringify({ ...result, refused: 0, broken: 0, ...over })}\n`;
  };

  it("is read with times in milliseconds", () => {
    expect(readOutput(line({}))).to.deep.equal({
      requests: 500,
      perSecond: 250,
      p50Ms: 1.5,
      p99Ms: 9,
      p999Ms: 12.345,
    });
  });

  it("is no result where requests were refused or broke off, or none was answered", () => {
    for (const over of [{ refused: 1 }, { broken: 1 }, { requests: 0 }])
      expect(() => readOutput(line(over))).to.throw("refused");
    expect(() => readOutput("unable to connect")).to.throw("no result");
  });
});

describe("A benchmark's options", () => {
  it("are whole numbers, or several with commas between", () => {
    const settings = new Settings({ rounds: "5", connections: "1,16" });
    expect(settings.number("rounds")).to.equal(5);
    expect(settings.numbers("connections")).to.deep.equal([1, 16]);
    expect(() => settings.number("connections")).to.throw("one number");
    expect(() => new Settings({ rounds: "many" })).to.throw("--rounds must be whole numbers: many");
  });
});

describe("The page of results", () => {
  it("gets a benchmark's text between its marks, and keeps all else", () => {
    const page = "before\n<!-- bench a -->\nold\n<!-- end a -->\nafter";
    expect(replaceSection(page, "a", "new")).to.equal(
      "before\n<!-- bench a -->\n\nnew\n\n<!-- end a -->\nafter",
    );
    expect(() => replaceSection(page, "b", "new")).to.throw("no place for b");
  });
});
