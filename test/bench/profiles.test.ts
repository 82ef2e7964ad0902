import { expect } from "chai";

import { callTree, type CpuProfile, greatestSelfTimes, placeOf } from "../../bench/support/cpu-profile.ts";
import { flameGraph } from "../../bench/support/flame-graph.ts";

const always = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER };

/** Idle for 1 ms, then `answer` for 2, `write` below it for 6, and the collector for 2. */
const recorded: CpuProfile = {
  nodes: [
    { id: 1, callFrame: { functionName: "(root)", url: "" }, children: [2, 3, 6] },
    { id: 2, callFrame: { functionName: "(idle)", url: "" }, children: [] },
    {
      id: 3,
      callFrame: { functionName: "answer", url: "file:///home/me/sluice/dist/src/http/app.js" },
      children: [4, 5],
    },
    {
      id: 4,
      callFrame: { functionName: "write", url: "file:///home/me/node_modules/koa/lib/x.js" },
      children: [],
    },
    {
      id: 5,
      callFrame: { functionName: "write", url: "file:///home/me/node_modules/koa/lib/x.js" },
      children: [],
    },
    { id: 6, callFrame: { functionName: "(garbage collector)", url: "" }, children: [] },
  ],
  startTime: 1_000_000,
  samples: [2, 3, 4, 5, 6, 2],
  timeDeltas: [0, 1000, 2000, 3000, 3000, 2000],
};

describe("A profile of a benchmark", () => {
  it("is a tree of the time that each call took, without idling", () => {
    const tree = callTree(recorded, always);
    expect(tree.totalUs).to.equal(10_000);
    const [answer, collector] = tree.children;
    expect(answer).to.include({ name: "answer", place: "sluice/http/app", selfUs: 2000, totalUs: 8000 });
    expect(answer?.children).to.deep.equal([
      { name: "write", place: "koa", selfUs: 6000, totalUs: 6000, children: [] },
    ]);
    expect(collector).to.include({ name: "(garbage collector)", place: "native", totalUs: 2000 });
  });

  it("is cut to the stretch that was measured", () => {
    const tree = callTree(recorded, { fromUs: 1_002_000, toUs: 1_007_000 });
    expect(tree.totalUs).to.equal(6000);
  });

  it("tells what takes most by itself", () => {
    const names = greatestSelfTimes(callTree(recorded, always), 2).map(({ name, selfUs }) => [name, selfUs]);
    expect(names[0]).to.deep.equal(["write", 6000]);
    expect(names).to.have.length(2);
  });

  it("names code by its package and never by a machine's folder", () => {
    expect(
      [
        "",
        "node:internal/timers",
        "file:///srv/a/node_modules/@koa/router/dist/index.mjs",
        "file:///srv/a/node_modules/x/node_modules/y/i.js",
        "/srv/a/tool.js",
      ].map(placeOf),
    ).to.deep.equal(["native", "node:internal/timers", "@koa/router", "y", "tool.js"]);
  });

  it("is drawn as frames on their callers, as wide as their share", () => {
    const svg = flameGraph(callTree(recorded, always), "a <title>", 0.005);
    expect(svg).to.include("a &#60;title&#62;");
    expect(svg).to.match(
      /<rect class="sluice"[^>]* width="959.4"[^>]*><title>answer \(sluice\/http\/app\): 80.0 %/,
    );
    expect(svg).to.match(/<rect class="packages"[^>]* width="719.4"/);
    expect(svg).not.to.include("/home/me");
  });

  it("is drawn without frames that are too small to be seen", () => {
    const svg = flameGraph(callTree(recorded, always), "large ones", 0.3);
    expect(svg).to.include("write").and.not.to.include("collector");
  });
});
