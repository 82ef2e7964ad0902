import { expect } from "chai";

import { Stage } from "./stage.ts";
import { said } from "../support/said.ts";

const looks = 10;
const leastFlushes = 5;
const chatsEach = 5;
/** Two looks of a finding are as far apart as it takes a batch to be flushed. */
const settleMs = 300;

describe("A buffer that is written, changed and flushed all the while", function () {
  this.timeout(120_000);

  let stage: Stage;

  before(async () => {
    stage = await Stage.open();
  });

  after(async () => {
    await stage.close();
  });

  /** Accepts, changes and deletes messages of an application until it is told to stop; answers how many acts that was. */
  async function work(token: string, goesOn: () => boolean): Promise<number> {
    let acts = 0;
    for (let nth = 0; goesOn(); nth += 1) {
      const chatNumber = (nth % chatsEach) + 1;
      const numbers = await Promise.all([1, 2, 3].map(() => stage.message(token, chatNumber)));
      const [first = 0, second = 0] = numbers;
      await stage.change.updateMessage(token, chatNumber, first, said("changed"));
      if (nth % 2 === 0) await stage.change.deleteMessage(token, chatNumber, second);
      if (nth % 20 === 19) await stage.accept.chat(token, said("another"));
      acts += numbers.length + 2;
    }
    return acts;
  }

  it("is in order at each of ten looks, and exactly so once all is over", async () => {
    const tokens = [await stage.application(), await stage.application(), await stage.application()];
    for (const token of tokens) {
      for (let nth = 0; nth < chatsEach; nth += 1) await stage.accept.chat(token, said("busy"));
    }
    let isOver = false;
    const goesOn = () => !isOver;
    const workers = tokens.map((token) => work(token, goesOn));
    let flushes = 0;
    const flusher = (async () => {
      for (; goesOn(); flushes += 1) await stage.drain();
    })();
    let references = 0;
    try {
      // On a busy machine a flush takes longer than a look.
      for (let nth = 0; nth < looks || flushes < leastFlushes; nth += 1) {
        const { findings, looked } = await stage.look(settleMs);
        expect(findings, `look ${nth}`).to.deep.equal([]);
        references += looked.references;
      }
    } finally {
      isOver = true;
    }
    const acts = (await Promise.all(workers)).reduce((sum, count) => sum + count, 0);
    expect(acts).to.be.greaterThan(100);
    await flusher;
    expect(references).to.be.greaterThan(0);

    const { findings, looked } = await stage.look();
    expect(findings).to.deep.equal([]);
    expect(looked).to.include({ inMotion: 0, restless: 0 });
  });

  it("is not, where one record of many is in no list", async () => {
    const token = await stage.application();
    await stage.accept.chat(token, said("lost from the list"));
    let isOver = false;
    const worker = work(await busyApplication(), () => !isOver);
    try {
      await stage.workspace.redis.lrem(stage.keys.list(0, "chats"), 1, `${token}:1`);
      const { findings } = await stage.look(settleMs);
      expect(findings.map(({ kind, subject }) => [kind, subject])).to.deep.equal([
        ["unlisted", `${token}:1`],
      ]);
      expect(await stage.buffer.mending.mend(findings)).to.equal(1);
      expect((await stage.look(settleMs)).findings).to.deep.equal([]);
    } finally {
      isOver = true;
      await worker;
    }
  });

  async function busyApplication(): Promise<string> {
    const token = await stage.application();
    for (let nth = 0; nth < chatsEach; nth += 1) await stage.accept.chat(token, said("busy"));
    return token;
  }
});
