import { expect } from "chai";

import { checkSearch } from "../../src/ops/readiness.ts";
import { openSearchPing } from "../../src/search/ping.ts";
import { describeWithElasticsearch, elasticsearchUrl } from "../support/elasticsearch.ts";

describeWithElasticsearch("The light of Elasticsearch", () => {
  async function light(url: string): Promise<unknown> {
    const ping = openSearchPing({ elasticsearchUrl: url, namespace: "unused" });
    const [check] = await checkSearch(ping);
    await ping?.close();
    return check;
  }

  it("is green while it answers, red where it does not, and never makes the API unready", async () => {
    expect(await light(elasticsearchUrl())).to.deep.equal({
      name: "elasticsearch",
      ready: true,
      answers: true,
      detail: "answers",
    });
    expect(await light("http://127.0.0.1:9")).to.include({ ready: true, answers: false });
    const wrongPassword = new URL(elasticsearchUrl());
    wrongPassword.password = "wrong";
    if (wrongPassword.username !== "") {
      expect(await light(wrongPassword.href)).to.include({ ready: true, answers: false });
    }
  });

  it("is none where there is no Elasticsearch", async () => {
    expect(await checkSearch(undefined)).to.deep.equal([]);
  });
});
