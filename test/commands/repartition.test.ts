import { expect } from "chai";

import { type Buffer as RecordBuffer, openBuffer } from "../../src/buffer/buffer.ts";
import { createServices } from "../../src/commands/api.ts";
import { openConfiguredBuffer } from "../../src/commands/parts.ts";
import { runRepartition } from "../../src/commands/repartition.ts";
import { type Config, loadConfig } from "../../src/config.ts";
import { Flusher } from "../../src/flusher/flusher.ts";
import type { Services } from "../../src/http/services.ts";
import { openSearch } from "../../src/search/open-search.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { createLogger } from "../../src/telemetry.ts";
import { RedisCluster } from "../support/redis-cluster.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";
import { waitFor } from "../support/wait-for.ts";
import { said } from "../support/said.ts";

const logger = createLogger({ level: "silent" });
const applications = 6;
const key = (at: number) => ({ key: `key-${at}`, fingerprint: "fingerprint" });

interface Installation {
  readonly services: Services;
  readonly buffer: RecordBuffer;
  readonly store: Store;
}

/** Where Redis is, and how that is come by and left. */
const places = {
  "on one Redis": () => Promise.resolve({ settings: {}, close: () => Promise.resolve() }),
  "on a Redis Cluster": async () => {
    const cluster = await RedisCluster.start();
    return { settings: { REDIS_URL: cluster.url }, close: () => cluster.close() };
  },
};

for (const [where, open] of Object.entries(places))
  describe(`The number of partitions ${where}`, () => {
    let place: Awaited<ReturnType<typeof open>>;
    let workspace: Workspace;
    let printed: string[];
    const { log } = console;

    before(async () => {
      place = await open();
    });
    after(() => place.close());

    beforeEach(async () => {
      workspace = await openWorkspace(place.settings);
      // What a change that was broken off leaves where it was, and a list that is filled by hand.
      workspace.expectFindings("misplaced", "stray");
      printed = [];
      console.log = (line: string) => printed.push(line);
    });
    afterEach(async () => {
      console.log = log;
      await workspace.close();
    });

    const configOf = (partitions: number): Config =>
      loadConfig({ ...workspace.env, PARTITIONS: String(partitions) });

    /** Has something done by a Sluice of so many partitions, and stops it when nothing is pending. */
    async function withSluice<T>(partitions: number, act: (sluice: Installation) => Promise<T>): Promise<T> {
      const config = configOf(partitions);
      const store = openStore(config.database, "writing");
      const buffer = await openConfiguredBuffer(config, "draining");
      const flusher = new Flusher(
        buffer,
        store,
        { thresholds: { chats: 1, messages: 1 }, maxRows: 100 },
        logger,
      );
      try {
        const settings = { elasticsearchUrl: undefined, namespace: config.redis.namespace };
        const search = openSearch(settings, store.searching, logger);
        const parts = { buffer, store, search, check: () => Promise.resolve([]) };
        const services = createServices(parts, () => Promise.resolve(""), logger);
        const done = await act({ services, buffer, store });
        flusher.trigger("manual");
        await waitFor(async () => (await pendingIn(buffer)) === 0, { what: "nothing to be pending" });
        return done;
      } finally {
        await flusher.stop();
        buffer.close();
        await store.close();
      }
    }

    async function sum(buffer: RecordBuffer, read: (partition: number) => Promise<number>): Promise<number> {
      const numbers = Array.from({ length: buffer.partitions }, (_, partition) => read(partition));
      return (await Promise.all(numbers)).reduce((total, number) => total + number, 0);
    }

    const pendingIn = (buffer: RecordBuffer) =>
      sum(buffer, async (partition) => {
        const { chats, messages } = (await buffer.totals.read(partition)).pending;
        return chats + messages;
      });
    const acceptedIn = (buffer: RecordBuffer) =>
      sum(buffer, async (partition) => {
        const { chats, messages } = (await buffer.totals.read(partition)).accepted;
        return chats + messages;
      });

    const refusalOf = (call: Promise<unknown>) =>
      call.then(
        () => "",
        (error: unknown) => (error as Error).message,
      );

    /** Makes applications with a chat and a message each; the first has a chat that MySQL refuses as well. */
    async function fill({ services }: Installation): Promise<string[]> {
      const tokens: string[] = [];
      for (let at = 0; at < applications; at += 1) {
        const { application } = await services.change.createApplication(`application ${at}`);
        tokens.push(application.token);
        await services.accept.chat(application.token, said("chat"), key(at));
        await services.accept.message(application.token, 1, said("message"), key(at));
      }
      await services.accept.chat(tokens[0] ?? "", said("too long for its column ".repeat(20)));
      return tokens;
    }

    /** What must be so after any change: numbers go on, requests are remembered, dead letters are there. */
    async function expectAll(
      { services, buffer }: Installation,
      tokens: readonly string[],
      messages: number,
    ): Promise<void> {
      for (const [at, token] of tokens.entries()) {
        const chat = await services.accept.chat(token, said("chat"), key(at));
        expect([chat.number, chat.isReplayed]).to.deep.equal([1, true]);
        const replayed = await services.accept.message(token, 1, said("message"), key(at));
        expect([replayed.number, replayed.isReplayed]).to.deep.equal([1, true]);
        const { number } = await services.accept.message(token, 1, said("another"));
        expect(number).to.equal(messages + 1);
      }
      const token = tokens[0] ?? "";
      const letters = await buffer.deadLetters.list(buffer.partitionOf(token), 0, 10);
      expect(letters.map(({ number }) => number)).to.deep.equal([2]);
      expect(letters[0]?.reason).to.match(/^ER_DATA_TOO_LONG \(1406\): /);
      expect((await services.read.chat(token, 2)).title).to.match(/^too long/);
      expect(await acceptedIn(buffer)).to.equal(applications * (messages + 2) + 1);
    }

    it("is kept through 1, 4 and 2 of them: numbers go on without a gap, nothing is forgotten", async () => {
      const tokens = await withSluice(1, fill);
      await runRepartition(configOf(1), "4");
      await withSluice(4, (sluice) => expectAll(sluice, tokens, 1));
      await runRepartition(configOf(4), "2");
      await withSluice(2, (sluice) => expectAll(sluice, tokens, 2));
      await withSluice(2, async ({ buffer }) => {
        const id = (await buffer.deadLetters.oldestIds(buffer.partitionOf(tokens[0] ?? ""), 1))[0] ?? "";
        await workspace.sql.raw("alter table chats modify title varchar(1000) null");
        expect(await buffer.deadLetters.requeue(id)).to.equal(true);
      });
      const stored: unknown[] = await workspace
        .sql("chats")
        .where("application_token", tokens[0])
        .select("number");
      expect(stored).to.have.lengthOf(2);
      const names = await workspace.redis.keys(`${workspace.config.redis.namespace}:{[23]}:*`);
      expect(names).to.deep.equal([]);
    });

    it("is refused where it is another than the data's, with what to do", async () => {
      await withSluice(2, fill);
      const refusal = await refusalOf(openConfiguredBuffer(configOf(3), "draining"));
      expect(refusal).to.match(
        /^The data is divided into 2 partitions, and PARTITIONS is 3\. .*repartition 3/,
      );
      // MySQL knows it as well, where Redis has lost it.
      await workspace.redis.del(`${workspace.config.redis.namespace}:{0}:partitions`);
      const late = withSluice(3, ({ services }) => services.accept.chat("a".repeat(22), said(null)));
      expect(await refusalOf(late)).to.match(/^The data is divided into 2 partitions/);
    });

    it("is taken from data that was written before it was noted", async () => {
      const tokens = await withSluice(4, fill);
      await workspace.redis.del(`${workspace.config.redis.namespace}:{0}:partitions`);
      await workspace.sql("settings").delete();
      expect(await refusalOf(withSluice(3, fill))).to.match(/^The data is divided into 4 partitions/);
      await withSluice(4, (sluice) => expectAll(sluice, tokens, 1));
    });

    it("is not changed while a process runs, or a record is pending", async () => {
      await withSluice(1, async (sluice) => {
        await fill(sluice);
        expect(await refusalOf(runRepartition(configOf(1), "2"))).to.match(/^these run: flusher/);
      });
      await workspace.redis.rpush(`${workspace.config.redis.namespace}:{0}:chats`, "one");
      expect(await refusalOf(runRepartition(configOf(1), "2"))).to.match(/^Redis holds 1 records/);
    });

    for (const [at, reached] of ["begun", "moved", "moved in part", "moved and added up"].entries()) {
      it(`is changed by a second call where the first one broke off when all was ${reached}`, async () => {
        const tokens = await withSluice(4, fill);
        const store = openStore(workspace.config.database, "writing");
        const config = configOf(2);
        const buffer = await openBuffer(
          { ...config.redis, limits: { ...config.buffer, thresholds: { chats: 1, messages: 1 } } },
          "draining",
        );
        const change = await store.layout.begin({ from: 4, to: 2, epoch: "the-new-epoch" });
        await buffer.layout.note("changing");
        const steps = [
          () => buffer.repartitioning.begin({ ...change, isResumed: false }, { flushSequence: 0, losses: 0 }),
          () => buffer.repartitioning.move(() => undefined),
          () => copyOneBack(),
          () => buffer.repartitioning.finish(),
        ];
        for (const step of steps.slice(0, at + 1)) await step();
        buffer.close();
        await store.close();

        expect(await refusalOf(withSluice(2, fill))).to.match(/was not finished/);
        expect(await refusalOf(withSluice(4, fill))).to.match(/was not finished/);
        await runRepartition(configOf(4), "2");
        await withSluice(2, (sluice) => expectAll(sluice, tokens, 1));
      });
    }

    /** As if it had been written at its new place and not yet been removed from the old one. */
    async function copyOneBack(): Promise<void> {
      const [moved = ""] = await workspace.redis.keys(`${workspace.config.redis.namespace}:{[01]}:counter:*`);
      const value = await workspace.redis.dumpBuffer(moved);
      await workspace.redis.restore(moved.replace("{0}", "{2}").replace("{1}", "{3}"), 0, Buffer.from(value));
    }
  });
