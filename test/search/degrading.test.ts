import { expect } from "chai";

import { DegradingSearch } from "../../src/search/degrading.ts";
import { type Engine, type EngineName, SearchUnavailableError } from "../../src/search/search.ts";
import { waitFor } from "../support/wait-for.ts";
import { queryOf } from "./search-stage.ts";

const request = { token: "t", chatNumber: 1, query: queryOf("a"), except: [], limit: 1 };

/** An engine that is up or down, and counts how often it is asked. */
class Switched implements Engine {
  readonly name: EngineName;
  isUp = true;
  asked = 0;

  constructor(name: EngineName) {
    this.name = name;
  }

  find(): Promise<readonly []> {
    this.asked += 1;
    if (this.isUp) return Promise.resolve([]);
    return Promise.reject(new SearchUnavailableError(this.name, "switched off"));
  }
}

describe("A search that degrades", () => {
  function open() {
    const [elastic, mysql] = [new Switched("elasticsearch"), new Switched("mysql")];
    const told: string[] = [];
    const tell = (_: object, message: string) => void told.push(message);
    const close = () => Promise.resolve();
    const search = new DegradingSearch(elastic, mysql, { info: tell, warn: tell }, { restMs: 50, close });
    return { elastic, mysql, told, search };
  }

  it("is answered by the first engine while that can", async () => {
    const { search, mysql } = open();
    expect(await search.find(request)).to.deep.equal({ hits: [], engine: "elasticsearch", degraded: false });
    expect(mysql.asked).to.equal(0);
  });

  it("is answered by the second one otherwise, which soon is the only one that is asked", async () => {
    const { search, elastic, told } = open();
    elastic.isUp = false;
    for (let time = 0; time < 3; time += 1) {
      expect(await search.find(request)).to.include({ engine: "mysql", degraded: true });
    }
    expect(told).to.deep.equal(["search is answered from mysql for now"]);
    elastic.isUp = true;
    await waitFor(async () => !(await search.find(request)).degraded, { what: "the first engine" });
    expect(told).to.deep.equal([
      "search is answered from mysql for now",
      "search is answered from elasticsearch again",
    ]);
  });

  it("fails where neither can answer", async () => {
    const { search, elastic, mysql } = open();
    [elastic.isUp, mysql.isUp] = [false, false];
    const outcome: unknown = await search.find(request).catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(SearchUnavailableError).with.property("message").that.includes("mysql");
  });
});
