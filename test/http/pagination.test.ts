import { expect } from "chai";
import { send, startShell, token } from "./shell.ts";
import type { Shell } from "./shell.ts";

describe("a list", () => {
  let shell: Shell;
  before(async () => {
    shell = await startShell();
  });
  after(() => shell.close());

  const chats = "/api/v1/applications/" + token + "/chats";
  const list = (query = "", path = chats) => send(`${shell.url}${path}${query}`);

  it("begins with the first page of ten in ascending order", async () => {
    const { json, headers } = await list();
    expect(shell.recorded.pages.at(-1)).to.deep.equal({
      start: { kind: "page", number: 1 },
      perPage: 10,
      order: "asc",
    });
    expect(json["chats"]).to.have.length(1);
    expect(json["meta"]).to.deep.equal({ current_page: 1, per_page: 10, next_page: 2, previous_page: null });
    expect(headers.get("link")).to.equal(
      `<${chats}?page=1&per_page=10>; rel="first", <${chats}?page=2&per_page=10>; rel="next"`,
    );
  });

  it("links a page to both its neighbours and keeps its size and order", async () => {
    const { json, headers } = await list("?page=3&per_page=5&order=desc");
    expect(json["meta"]).to.deep.equal({ current_page: 3, per_page: 5, next_page: 4, previous_page: 2 });
    expect(headers.get("link")).to.contain(`<${chats}?page=2&per_page=5&order=desc>; rel="prev"`);
    expect(headers.get("link")).to.contain(`<${chats}?page=4&per_page=5&order=desc>; rel="next"`);
  });

  it("goes on after a number, to the last number of the page", async () => {
    const { json, headers } = await list("?after=0&per_page=100", `${chats}/2/messages`);
    expect(shell.recorded.pages.at(-1)).to.deep.equal({
      start: { kind: "after", after: 0 },
      perPage: 100,
      order: "asc",
    });
    expect(json["meta"]).to.deep.equal({ per_page: 100, next_after: 7 });
    expect(headers.get("link")).to.equal(`<${chats}/2/messages?after=7&per_page=100>; rel="next"`);
  });

  const refused: [string, string][] = [
    ["?page=0", "page"],
    ["?page=-1", "page"],
    ["?page=1.5", "page"],
    ["?page=1e3", "page"],
    ["?page=", "page"],
    ["?page=x", "page"],
    ["?page=%00", "page"],
    ["?page=%zz", "page"],
    ["?page=99999999999999999999", "page"],
    ["?page=1&page=2", "page"],
    ["?per_page=0", "per_page"],
    ["?per_page=101", "per_page"],
    ["?per_page=5&per_page=5", "per_page"],
    ["?after=-1", "after"],
    ["?after=9007199254740992", "after"],
    ["?after=1&after=1", "after"],
    ["?page=1&after=1", "after"],
    ["?order=up", "order"],
    ["?order=asc&order=asc", "order"],
  ];
  for (const [query, name] of refused) {
    it(`refuses ${query} and names ${name}`, async () => {
      const { status, json } = await list(query);
      expect(status).to.equal(400);
      expect(json).to.include({ code: "invalid_parameter" });
      expect(json["error"]).to.match(new RegExp(`^${name} `));
    });
  }

  it("of applications has pages only, for they have no numbers", async () => {
    expect((await list("?page=2", "/applications")).json["meta"]).to.include({ next_page: 3 });
    expect((await list("?after=1", "/applications")).json["error"]).to.match(/^after /);
  });

  it("ignores parameters it does not know", async () => {
    expect((await list("?__proto__=1&constructor=2&page[]=3&x=1&x=2")).status).to.equal(200);
  });
});
