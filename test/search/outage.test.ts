import { expect } from "chai";

import { type Buffer, openBuffer } from "../../src/buffer/buffer.ts";
import { openSearch } from "../../src/search/open-search.ts";
import type { Search } from "../../src/search/search.ts";
import { roomyLimits } from "../support/buffers.ts";
import { Client } from "../support/client.ts";
import { describeWithPrivateElasticsearch } from "../support/elasticsearch.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { type SluiceProcess, startApi, startFlusher } from "../support/sluice-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { queryOf, SearchStage } from "./search-stage.ts";

const messages = 600;
const same = { missing: 0, stale: 0, extra: 0 };

describeWithPrivateElasticsearch(
  "Elasticsearch, killed in the middle of a load and started again",
  function () {
    this.timeout(300_000);
    let elasticsearch: PrivateEngine;
    let stage: SearchStage;
    let processes: readonly SluiceProcess[];
    let client: Client;
    let buffer: Buffer;
    let search: Search;
    const told: string[] = [];

    before(async () => {
      elasticsearch = await PrivateEngine.start("elasticsearch");
      stage = await SearchStage.open(String(elasticsearch.env["ELASTICSEARCH_URL"]));
      const { config, env } = stage.workspace;
      const [api, flusher] = await Promise.all([startApi(env), startFlusher(env)]);
      processes = [api.process, flusher];
      client = new Client(api.url);
      buffer = await openBuffer({ ...config.redis, limits: roomyLimits }, "draining");
      const { elasticsearchUrl } = config.search;
      const settings = { elasticsearchUrl, namespace: config.redis.namespace };
      search = openSearch(settings, stage.store.searching, { info: tell, warn: tell });
    });

    after(async () => {
      client.close();
      await Promise.all(processes.map((one) => one.end("SIGTERM")));
      await search.close();
      buffer.close();
      await stage.close();
      await elasticsearch.close();
    });

    function tell(_: object, message: string): void {
      told.push(message);
    }

    const untilIndexed = () =>
      waitFor(
        async () => {
          const [{ pending }, { documents }] = [await buffer.totals.read(0), await buffer.owed.totals(0)];
          return pending.messages === 0 && documents === 0;
        },
        { what: "all messages to be indexed", timeoutMs: 120_000 },
      );

    it("has all messages afterwards, and meanwhile MySQL answers", async () => {
      const { body: application } = await client.post<{ token: string }>("/applications", { name: "a" });
      const { token } = application;
      const path = `/applications/${token}/chats`;
      await client.post(path, {});
      const post = async (from: number, to: number) => {
        for (let number = from; number <= to; number += 1) {
          const { status } = await client.post(`${path}/1/messages`, { body: `message number ${number}` });
          expect(status).to.equal(201);
        }
      };
      const request = { token, chatNumber: 1, query: queryOf("MESSAGE numb"), except: [], limit: 10_000 };
      const find = () => search.find(request);
      await post(1, messages / 3);
      await untilIndexed();
      expect(await find()).to.include({ engine: "elasticsearch", degraded: false });

      const load = post(messages / 3 + 1, messages);
      await elasticsearch.stop("SIGKILL");
      await load;
      for (let time = 0; time < 5; time += 1) {
        expect(await find()).to.include({ engine: "mysql", degraded: true });
      }
      await waitFor(async () => (await find()).hits.length === messages, {
        what: "MySQL to find all",
        timeoutMs: 90_000,
      });
      expect(told).to.include("search is answered from mysql for now");

      await elasticsearch.start();
      await untilIndexed();
      await waitFor(async () => !(await find()).degraded, {
        what: "the index to be asked again",
        timeoutMs: 60_000,
      });
      expect((await find()).hits).to.have.lengthOf(messages);
      expect(told.at(-1)).to.equal("search is answered from elasticsearch again");
      expect(await stage.differences()).to.deep.equal(same);
    });
  },
);
