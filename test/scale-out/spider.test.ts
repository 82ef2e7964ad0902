import { expect } from "chai";

import { metricIn, RunningSluice } from "../support/running-sluice.ts";
import { describeWithSpider, SpiderCluster } from "../support/spider.ts";
import { waitFor } from "../support/wait-for.ts";

/** So many that no back end is left without one by chance. */
const applicationCount = 40;
const writerCount = 6;
/** More than is pending while flushes go through. */
const heldUp = 100;

interface Row {
  readonly application_token: string;
  readonly number: number;
  readonly body: string;
}

describeWithSpider("Sluice on a MySQL of several servers", function () {
  this.timeout(300_000);

  let spider: SpiderCluster;
  let sluice: RunningSluice;
  const tokens: string[] = [];
  /** What was answered 201, as token:number, and its body. */
  const accepted = new Map<string, string>();

  before(async () => {
    spider = await SpiderCluster.start();
    sluice = await RunningSluice.start(spider.env);
    for (let nth = 0; nth < applicationCount; nth += 1) {
      const created = await sluice.client.post<{ token: string }>("/applications", {
        name: `sharded ${nth}`,
      });
      tokens.push(created.body.token);
      await sluice.client.post(`/applications/${created.body.token}/chats`);
      await post(created.body.token, "the first");
    }
  });

  after(async () => {
    await sluice.stop();
    await spider.close();
  });

  async function post(token: string, body: string): Promise<void> {
    const answer = await sluice.client.post<{ number: number }>(`/applications/${token}/chats/1/messages`, {
      body,
    });
    expect(answer.status).to.equal(201);
    accepted.set(`${token}:${answer.body.number}`, body);
  }

  async function flushedRows(): Promise<number> {
    const { body } = await sluice.client.get<string>("/metrics");
    const of = (trigger: string) => metricIn(body, `sluice_flush_rows_total{trigger="${trigger}"}`);
    return of("threshold") + of("minute");
  }

  /** How many records are pending. */
  async function pending(): Promise<number> {
    const { body } = await sluice.client.get<string>("/metrics");
    const lists = ["messages", "chats"].map((list) =>
      metricIn(body, `sluice_buffer_records{list="${list}"}`),
    );
    return lists.reduce((sum, records) => sum + records, 0);
  }

  /** Until nothing is pending, so that all was acknowledged. */
  async function drained(): Promise<void> {
    await waitFor(async () => (await pending()) === 0, { what: "an empty buffer", timeoutMs: 180_000 });
  }

  it("has each application's rows together on one back end, and some on each", async () => {
    await drained();
    const places = await spider.onEachBackEnd(sluice.workspace.config.database.name, async (sql) => ({
      applications: await sql("applications").orderBy("token").pluck<string[]>("token"),
      chats: await sql("chats").orderBy("application_token").pluck<string[]>("application_token"),
      messages: await sql("messages").orderBy("application_token").pluck<string[]>("application_token"),
    }));
    for (const { applications, chats, messages } of places) {
      expect(applications).to.not.be.empty;
      expect(chats).to.deep.equal(applications);
      expect(messages).to.deep.equal(applications);
    }
    expect(places.flatMap(({ applications }) => applications).sort()).to.deep.equal([...tokens].sort());
  });

  it("serves the applications of the others while a back end is away, and accepts for all", async () => {
    const [first] = spider.backEnds;
    if (!first) throw new Error("there is no back end");
    await first.stop("SIGKILL");
    const statuses = await Promise.all(
      tokens.map(async (token) => (await sluice.client.get(`/applications/${token}`)).status),
    );
    for (const token of tokens) await post(token, "while one is away");
    await first.start();
    expect(new Set(statuses)).to.deep.equal(new Set([200, 503]));
    await drained();
  });

  it("has every message once when back ends are killed under load, one after the other", async () => {
    const stop = new AbortController();
    const writers = Array.from({ length: writerCount }, async (_, writer) => {
      for (let nth = 0; !stop.signal.aborted; nth += 1) {
        await post(tokens[nth % tokens.length] ?? "", `${writer}, ${nth}`);
      }
    });
    for (const backEnd of spider.backEnds) {
      await backEnd.stop("SIGKILL");
      await waitFor(async () => (await pending()) > heldUp, { what: "flushes to be held up" });
      const before = await flushedRows();
      await backEnd.start();
      await waitFor(async () => (await flushedRows()) > before + heldUp, { what: "flushes to go through" });
    }
    stop.abort();
    await Promise.all(writers);
    await drained();
    const rows: Row[] = await sluice.workspace.sql("messages").select("application_token", "number", "body");
    const stored = new Map(rows.map((row) => [`${row.application_token}:${row.number}`, row.body]));
    expect(rows).to.have.length(accepted.size);
    expect(stored).to.deep.equal(accepted);
  });

  it("leaves no transaction undecided", async () => {
    const undecided = () =>
      spider.onEachBackEnd("mysql", async (sql) => ((await sql.raw("xa recover")) as [unknown[]])[0].length);
    await waitFor(async () => (await undecided()).every((count) => count === 0), {
      what: "back ends without prepared transactions",
    });
    const { body } = await sluice.client.get<string>("/metrics");
    expect(metricIn(body, "sluice_dead_letters")).to.equal(0);
  });
});
