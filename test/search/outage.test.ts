import { expect } from "chai";

import { type Buffer, openBuffer } from "../../src/buffer/buffer.ts";
import { roomyLimits } from "../support/buffers.ts";
import { Client } from "../support/client.ts";
import { describeWithPrivateElasticsearch } from "../support/elasticsearch.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { type SluiceProcess, startApi, startFlusher } from "../support/sluice-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { SearchStage } from "./search-stage.ts";

const messages = 300;
const perPage = 100;
const same = { missing: 0, stale: 0, extra: 0 };

describeWithPrivateElasticsearch(
  "Elasticsearch, killed in the middle of a load and started again",
  function () {
    this.timeout(300_000);
    let elasticsearch: PrivateEngine;
    let stage: SearchStage;
    let api: SluiceProcess;
    let processes: readonly SluiceProcess[];
    let client: Client;
    let buffer: Buffer;
    let chat: string;

    before(async () => {
      elasticsearch = await PrivateEngine.start("elasticsearch");
      stage = await SearchStage.open(String(elasticsearch.env["ELASTICSEARCH_URL"]));
      const { config, env } = stage.workspace;
      const [{ process, url }, flusher] = await Promise.all([startApi(env), startFlusher(env)]);
      api = process;
      processes = [api, flusher];
      client = new Client(url);
      buffer = await openBuffer({ ...config.redis, limits: roomyLimits }, "draining");
      const { body } = await client.post<{ token: string }>("/applications", { name: "a" });
      chat = `/applications/${body.token}/chats/1`;
      await client.post(`/applications/${body.token}/chats`);
    });

    after(async () => {
      client.close();
      await Promise.all(processes.map((one) => one.end("SIGTERM")));
      buffer.close();
      await stage.close();
      await elasticsearch.close();
    });

    const untilIndexed = () =>
      waitFor(
        async () => {
          const [{ pending }, { documents }] = [await buffer.totals.read(0), await buffer.owed.totals(0)];
          return pending.messages === 0 && documents === 0;
        },
        { what: "all messages to be indexed", timeoutMs: 120_000 },
      );

    async function search(text: string, page = 1): Promise<Found> {
      const query = new URLSearchParams({ query: text, page: String(page), per_page: String(perPage) });
      const answer = await client.get<Found>(`${chat}/messages/search?${query.toString()}`);
      expect(answer.status).to.equal(200);
      return answer.body;
    }

    const untilAsked = (engine: string) =>
      waitFor(async () => (await search("message")).meta.engine === engine, {
        what: `searches to be answered by ${engine}`,
      });

    async function expectAllFound(): Promise<void> {
      const numbers: number[] = [];
      for (let page = 1; page <= messages / perPage; page += 1) {
        numbers.push(...(await search("MESSAGE numb", page)).messages.map(({ number }) => number));
      }
      expect(numbers).to.deep.equal(Array.from({ length: messages }, (_, at) => at + 1));
    }

    /** Posts messages, each of which is found as soon as it has its 201. */
    async function post(from: number, to: number): Promise<void> {
      for (let number = from; number <= to; number += 1) {
        const { status } = await client.post(`${chat}/messages`, { body: `message number ${number}.` });
        expect(status).to.equal(201);
        expect((await search(`number ${number}.`)).messages[0]).to.include({ number });
      }
    }

    it("has all messages afterwards; each is found from its 201 on, in MySQL meanwhile, which is said", async () => {
      await post(1, messages / 3);
      await untilIndexed();
      await untilAsked("elasticsearch");

      const load = post(messages / 3 + 1, messages);
      await elasticsearch.stop("SIGKILL");
      await load;
      expect((await search("message")).meta).to.include({ engine: "mysql", degraded: true });
      await expectAllFound();
      await api.logged("search is answered from mysql for now");

      await elasticsearch.start();
      await untilIndexed();
      await untilAsked("elasticsearch");
      await expectAllFound();
      await api.logged("search is answered from elasticsearch again");
      expect(await stage.differences()).to.deep.equal(same);
    });
  },
);

interface Found {
  readonly messages: readonly { readonly number: number; readonly body: string }[];
  readonly meta: { readonly engine: string; readonly degraded: boolean };
}
