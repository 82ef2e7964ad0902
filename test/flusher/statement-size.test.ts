import { expect } from "chai";

import { openStore } from "../../src/store/store.ts";
import { PacketLimitProxy } from "../support/packet-limit-proxy.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { chat, DeadLetterStage, token } from "./dead-letter-stage.ts";
import { said } from "../support/said.ts";

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);
const tooLarge = "ER_NET_PACKET_TOO_LARGE";

describe("A server that takes statements", () => {
  let stage: DeadLetterStage;

  const stored = async () =>
    stage.workspace.sql("messages").orderBy("number").pluck("number") as Promise<number[]>;

  async function acceptAll(bodies: readonly string[]): Promise<void> {
    await stage.accept({ token }, "chat");
    for (const body of bodies) await stage.accept(chat, body);
  }

  async function lengths(): Promise<number[]> {
    const [rows] = (await stage.workspace.sql.raw(
      "select length(body) as bytes from messages where application_token = ? order by number",
      [token],
    )) as [{ bytes: number }[]];
    return rows.map(({ bytes }) => bytes);
  }

  for (const [megabytes, title] of [
    [1, "of 1 MiB"],
    [16, "of 16 MiB"],
  ] as const) {
    describe(title, () => {
      let engine: PrivateEngine;

      before(async () => {
        engine = await PrivateEngine.start("database", [`--max-allowed-packet=${megabytes}M`]);
      });
      after(() => engine.close());

      beforeEach(async () => {
        stage = await DeadLetterStage.open(engine.env);
      });
      afterEach(() => stage.close());

      for (const [count, kilobytes] of [
        [100, 15],
        [60, 60],
        [40, 400],
      ] as const) {
        it(`gets ${count} messages of ${kilobytes} kB, without an error`, async () => {
          await acceptAll(upTo(count).map((at) => `${at}`.padEnd(kilobytes * 1000, "'")));
          await stage.drain();
          expect(await lengths()).to.deep.equal(upTo(count).map(() => kilobytes * 1000));
          expect([stage.errors, stage.warnings]).to.deep.equal([[], []]);
          await stage.expectNothingLeft();
        });
      }

      it("keeps apart a message that is too large alone, and gets its neighbours", async () => {
        const large = "'".repeat((megabytes * 1024 * 1024) / 2);
        await acceptAll(["before", large, "after"]);
        await stage.drain();
        expect(await stored()).to.deep.equal([1, 3]);
        expect(await stage.onlyLetter()).to.deep.include({ ...chat, number: 2, reason: tooLarge });
        expect((await stage.read.message(token, 1, 2)).body).to.equal(large);
        expect(stage.warnings).to.deep.equal([]);
      });

      it("keeps apart a changed text that is too large alone, and gets its neighbours", async () => {
        await acceptAll(["one", "two", "three"]);
        await stage.drain();
        const large = "'".repeat((megabytes * 1024 * 1024) / 2);
        await stage.change.updateMessage(token, 1, 1, said("changed"));
        await stage.change.updateMessage(token, 1, 2, said(large));
        await stage.change.updateMessage(token, 1, 3, said("changed"));
        await stage.accept(chat, "four");
        await stage.drain();
        expect(await lengths()).to.deep.equal([7, 3, 7, 4]);
        expect(await stage.onlyLetter()).to.deep.include({ ...chat, number: 2, reason: tooLarge });
        expect(stage.warnings).to.deep.equal([]);
      });
    });
  }

  describe("behind a proxy that takes smaller ones", () => {
    const mostBytes = 300_000;
    let proxy: PacketLimitProxy;

    beforeEach(async () => {
      stage = await DeadLetterStage.open();
      proxy = await PacketLimitProxy.to(stage.workspace.config.database.port, mostBytes);
    });
    afterEach(async () => {
      await stage.close();
      await proxy.close();
    });

    it("gets them all in statements that come through, and of what does not each alone is kept apart", async () => {
      const bodies = upTo(100).map((at) => `${at}`.padEnd(at === 50 ? 2 * mostBytes : 15_000, "."));
      await acceptAll(bodies);
      const { port, ...database } = stage.workspace.config.database;
      expect(port).not.to.equal(proxy.port);
      const store = openStore({ ...database, port: proxy.port }, "writing");
      try {
        await stage.drain(store);
        expect(await stored()).to.deep.equal(upTo(100).filter((at) => at !== 50));
        expect(await stage.onlyLetter()).to.deep.include({ ...chat, number: 50, reason: tooLarge });
        expect(store.limit.batchBytes()).to.be.below(4 * mostBytes);
      } finally {
        await store.close();
      }
    });
  });
});
