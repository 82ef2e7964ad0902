import { expect } from "chai";
import { send, startShell } from "./shell.ts";
import type { Shell } from "./shell.ts";

describe("the docs page", () => {
  let shell: Shell;
  before(async () => {
    shell = await startShell();
  });
  after(() => shell.close());

  const addressesIn = (html: string) =>
    [...html.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, found = ""]) => found);

  for (const base of ["", "/api/v1"]) {
    it(`under "${base}" has all its files on this server`, async () => {
      for (const path of [`${base}/docs`, `${base}/docs/`]) {
        const { status, text, headers } = await send(shell.url + path);
        expect(status).to.equal(200);
        expect(headers.get("content-type")).to.equal("text/html; charset=utf-8");
        const addresses = addressesIn(text);
        expect(addresses).to.have.length(4);
        for (const address of addresses) {
          expect(address).to.match(new RegExp(`^${base}/docs/[a-z0-9.-]+$`));
          expect((await send(shell.url + address)).status).to.equal(200);
        }
      }
    });
  }

  it("may run its own scripts, and none that stand in the page", async () => {
    const { headers, text } = await send(`${shell.url}/docs`);
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy.split("; ")).to.include.members([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
    ]);
    expect(text).not.to.match(/<script(?! src)|<style|\son\w+=/);
    const json = await send(`${shell.url}/openapi.json`);
    expect(json.headers.get("content-security-policy")).to.match(/^default-src 'none'; frame/);
  });

  it("has files of the right type that a browser may keep", async () => {
    const types = {
      "swagger-ui.css": "text/css; charset=utf-8",
      "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
      "start.js": "text/javascript; charset=utf-8",
      "favicon-32x32.png": "image/png",
    };
    for (const [name, type] of Object.entries(types)) {
      const { headers } = await send(`${shell.url}/docs/${name}`);
      expect(headers.get("content-type")).to.equal(type);
      expect(headers.get("cache-control")).to.equal("public, max-age=3600");
      const etag = headers.get("etag") ?? "";
      const again = await send(`${shell.url}/docs/${name}`, {
        // Else fetch adds no-cache, as a browser does for a forced reload.
        headers: { "if-none-match": etag, "cache-control": "max-age=0" },
      });
      expect(again.status).to.equal(304);
    }
  });

  it("gives out no other file", async () => {
    const others = [
      "package.json",
      "swagger-ui.js",
      "..%2fpackage.json",
      "%2e%2e%2f%2e%2e%2fpackage.json",
      "..%5cpackage.json",
      "%00",
      "__proto__",
      "constructor",
      "SWAGGER-UI.CSS",
    ];
    for (const name of others) {
      const { status, json } = await send(`${shell.url}/docs/${name}`);
      expect(status, name).to.equal(404);
      expect(json).to.include({ code: "route_not_found" });
    }
  });
});
