import { expect } from "chai";

import { gather } from "../src/gather.ts";

describe("Gathering", () => {
  const calls: string[] = [];
  const shout = gather({
    run: (key: string, items: readonly string[]) => {
      calls.push(`${key}: ${items.join(" ")}`);
      if (items.includes("fail")) return Promise.reject(new Error("the call failed"));
      return Promise.resolve(items.map((item) => `${item}!`));
    },
    sizeOf: (item) => item.length,
    mostSize: 10,
  });

  beforeEach(() => {
    calls.length = 0;
  });

  it("makes one call a key of what is asked in a turn, and gives each its own result", async () => {
    const asking = [shout("a", "one"), shout("b", "two"), shout("a", "three")];
    expect(calls).to.deep.equal([]);
    expect(await Promise.all(asking)).to.deep.equal(["one!", "two!", "three!"]);
    expect(calls).to.deep.equal(["a: one three", "b: two"]);
    expect(await shout("a", "later")).to.equal("later!");
    expect(calls).to.have.length(3);
  });

  it("begins a call at once that is large enough, and the rest of the turn is another", async () => {
    const asking = ["seven", "eight", "nine"].map((item) => shout("a", item));
    expect(calls).to.deep.equal(["a: seven eight"]);
    expect(await Promise.all(asking)).to.deep.equal(["seven!", "eight!", "nine!"]);
    expect(calls).to.deep.equal(["a: seven eight", "a: nine"]);
  });

  it("fails all of a call that fails, and nothing else", async () => {
    const outcomes = await Promise.allSettled([shout("a", "one"), shout("a", "fail"), shout("b", "two")]);
    expect(outcomes.map(({ status }) => status)).to.deep.equal(["rejected", "rejected", "fulfilled"]);
  });
});
