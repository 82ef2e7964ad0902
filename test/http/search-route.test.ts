import { expect } from "chai";

import { maxQueryCharacters, maxQueryTerms } from "../../src/search/matching.ts";
import type { Shell } from "./shell.ts";
import { send, startShell, token } from "./shell.ts";

describe("GET …/messages/search", () => {
  let shell: Shell;
  before(async () => {
    shell = await startShell();
  });
  after(() => shell.close());

  const path = `/applications/${token}/chats/1/messages/search`;
  const search = (query: string) => send(`${shell.url}${path}?${query}`);
  const errorOf = async (query: string) => {
    const { status, json } = await search(query);
    return [status, json["code"], json["error"]];
  };

  it("answers a page of messages with who searched, and links that keep the query", async () => {
    const { status, json, headers } = await search("query=50%25%20off&page=2&per_page=5");
    expect(status).to.equal(200);
    expect(json["meta"]).to.deep.equal({
      current_page: 2,
      per_page: 5,
      next_page: 3,
      previous_page: 1,
      engine: "mysql",
      degraded: false,
    });
    expect(headers.get("link")).to.include(`<${path}?page=3&per_page=5&query=50%25+off>; rel="next"`);
  });

  it("is not taken for a message's number, with the prefix or without", async () => {
    for (const base of ["", "/api/v1"]) {
      expect((await send(`${shell.url}${base}${path}?q=hi`)).json).to.have.property("messages");
    }
  });

  it("refuses a search for nothing", async () => {
    const refusal = [400, "invalid_parameter", "query is required: the words to search for"];
    for (const query of ["", "query=", "query=%20%0A", "page=1"]) {
      expect(await errorOf(query)).to.deep.equal(refusal);
    }
    expect((await errorOf("q="))[2]).to.match(/^q is required/);
  });

  it("refuses what is too long, has too many words or is given twice, and takes the longest", async () => {
    expect((await search(`q=${"é".repeat(maxQueryCharacters)}`)).status).to.equal(200);
    expect((await errorOf(`q=${"é".repeat(maxQueryCharacters + 1)}`))[2]).to.equal(
      `q must have at most ${maxQueryCharacters} characters`,
    );
    const words = Array.from({ length: maxQueryTerms + 1 }, (_, at) => `w${at}`).join("+");
    expect((await errorOf(`query=${words}`))[2]).to.equal(`query must have at most ${maxQueryTerms} words`);
    expect((await errorOf("query=a&query=b"))[2]).to.equal("query must be given once");
  });

  it("takes what looks like syntax for words, and any bytes for text", async () => {
    for (const query of ["%25", "_", "*", '"', "(a%20OR", "a%20AND%20b", "%5C", "body:x", "%F0%9F%98%80"]) {
      expect((await search(`query=${query}`)).status, query).to.equal(200);
    }
  });

  it("refuses pages beyond what an engine looks at, and offers none", async () => {
    expect((await errorOf("q=a&page=101&per_page=100"))[2]).to.match(
      /^page must not reach beyond the first 10000/,
    );
    expect((await search("q=a&page=100&per_page=100")).json["meta"]).to.include({ next_page: null });
    expect((await errorOf("q=a&per_page=101"))[0]).to.equal(400);
    expect((await errorOf("q=a&page=0"))[0]).to.equal(400);
  });
});
