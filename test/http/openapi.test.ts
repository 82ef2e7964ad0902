import { expect } from "chai";
import { describeApi } from "../../src/http/openapi/document.ts";
import { createRouter } from "../../src/http/router.ts";
import type { Services } from "../../src/http/services.ts";
import { expectDocumented } from "./documented.ts";
import { send, startShell } from "./shell.ts";
import type { Shell } from "./shell.ts";

describe("the description of the API", () => {
  let shell: Shell;
  before(async () => {
    shell = await startShell();
  });
  after(() => shell.close());

  it("has every route of the router, and no other", () => {
    const { stack } = createRouter({} as Services, 1000);
    const routed = stack.flatMap(({ path, methods }) => {
      const template = String(path)
        .replace(/^\{\/api\/v1\}/, "")
        .replace(/:(\w+)/g, "{$1}");
      return methods.filter((method) => method !== "HEAD").map((method) => `${method} ${template}`);
    });
    const described = Object.entries(describeApi().paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described).to.have.members(routed);
  });

  it("is served with and without the prefix", async () => {
    for (const base of ["", "/api/v1"]) {
      const { status, headers, json } = await send(`${shell.url}${base}/openapi.json`);
      expect(status).to.equal(200);
      expect(headers.get("content-type")).to.match(/^application\/json/);
      expect(json).to.deep.equal(JSON.parse(JSON.stringify(describeApi())));
    }
  });

  describe("tells a test where an answer", () => {
    const exchange = async () => {
      const response = await fetch(`${shell.url}/livez`);
      const { status, headers } = response;
      return {
        method: "GET",
        path: "/livez",
        status,
        headers: new Headers(headers),
        text: await response.text(),
      };
    };

    it("is as described", async () => {
      expectDocumented(await exchange());
    });

    it("has another status", async () => {
      const wrong = { ...(await exchange()), status: 202 };
      expect(() => {
        expectDocumented(wrong);
      }).to.throw();
    });

    it("has a member too many", async () => {
      const wrong = { ...(await exchange()), text: '{"status":"live","more":1}' };
      expect(() => {
        expectDocumented(wrong);
      }).to.throw("must NOT have additional properties");
    });

    it("lacks a header, or has one that nobody described", async () => {
      const lacking = await exchange();
      lacking.headers.delete("x-request-id");
      expect(() => {
        expectDocumented(lacking);
      }).to.throw("X-Request-Id");
      const strange = await exchange();
      strange.headers.set("x-powered-by", "x");
      expect(() => {
        expectDocumented(strange);
      }).to.throw("x-powered-by");
    });
  });
});
