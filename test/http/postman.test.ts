import { expect } from "chai";
import { readFileSync } from "node:fs";
import newman from "newman";
import type { NewmanRunSummary } from "newman";
import { describeApi } from "../../src/http/openapi/document.ts";
import { describedFiles } from "../../src/http/openapi/files.ts";
import { openRealServices } from "../support/real-services.ts";
import { startShell } from "./shell.ts";

const docs = new URL("../../docs/", import.meta.url);
const collection = "postman/sluice.postman_collection.json";
const environment = "postman/sluice.postman_environment.json";

describe("the files under docs/", () => {
  for (const [name, text] of describedFiles()) {
    it(`have ${name} as npm run postman writes it`, () => {
      expect(readFileSync(new URL(name, docs), "utf8")).to.equal(text);
    });
  }
});

describe("the Postman collection", () => {
  const json = (name: string) => JSON.parse(readFileSync(new URL(name, docs), "utf8")) as object;

  const run = (url: string) =>
    new Promise<NewmanRunSummary>((resolve, reject) => {
      const options = {
        collection: json(collection),
        environment: json(environment),
        envVar: [{ key: "base_url", value: url }],
        reporters: [],
      };
      newman.run(options, (error, summary) => {
        if (error) reject(error);
        else resolve(summary);
      });
    });

  it("runs from top to bottom against a live server, each request with the right status", async () => {
    const real = await openRealServices();
    const shell = await startShell({ services: real.services });
    try {
      const { run: outcome } = await run(shell.url);
      expect(outcome.failures.map(({ error, source }) => `${source?.name ?? ""}: ${error.message}`)).to.be
        .empty;
      const described = Object.values(describeApi().paths).flatMap((path) => Object.keys(path)).length;
      expect(outcome.executions).to.have.length(described);
      expect(outcome.stats.assertions).to.include({ total: described, failed: 0 });
    } finally {
      await shell.close();
      await real.close();
    }
  });
});
