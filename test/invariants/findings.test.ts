import { expect } from "chai";

import { tooLongTitle } from "../flusher/dead-letter-stage.ts";
import { cases } from "./cases.ts";
import { Stage } from "./stage.ts";
import { said } from "../support/said.ts";

type Kept = Awaited<ReturnType<Stage["keep"]>>;

describe("What must hold of the buffer", () => {
  let stage: Stage;
  let kept: Kept;
  /** Chat 1 is stored, with a change that waits; chat 2 and its messages wait, one of them deleted. */
  let token: string;
  /** Of the chat that MySQL refused. */
  let letter: string;

  before(async () => {
    stage = await Stage.open();
    token = await stage.application();
    await stage.accept.chat(token, said("stored"));
    for (let nth = 0; nth < 3; nth += 1) await stage.message(token, 1);
    await stage.accept.chat(token, said(tooLongTitle));
    await stage.drain();
    await stage.change.updateMessage(token, 1, 2, said("changed"));
    await stage.accept.chat(token, said("waiting"));
    for (let nth = 0; nth < 4; nth += 1) await stage.message(token, 3);
    await stage.change.deleteMessage(token, 3, 2);
    await stage.accept.chat(token, said("deleted with what is beneath it"));
    await stage.message(token, 4);
    await stage.change.deleteChat(token, 4);
    const other = await stage.application();
    await stage.accept.chat(other, said("of a deleted application"));
    await stage.message(other, 1);
    await stage.change.deleteApplication(other);
    [letter = ""] = await stage.buffer.deadLetters.oldestIds(0, 10);
    kept = await stage.keep();
  });

  afterEach(async () => {
    await stage.restore(kept);
  });

  after(async () => {
    await stage.close();
  });

  it("does where records wait, were changed, refused and deleted", async () => {
    const { findings, looked } = await stage.look();
    expect(findings).to.deep.equal([]);
    expect(looked).to.include({ deadLetters: 1, inMotion: 0, restless: 0 });
    expect(looked.references).to.be.greaterThan(8);
  });

  for (const { kind, title, spoil, besides = [], stays = [] } of cases) {
    it(`does not with ${title}, which is ${stays.includes(kind) ? "told" : "put right"}`, async () => {
      await spoil({ stage, token, letter });
      expect(await stage.kinds()).to.deep.equal([kind, ...besides].sort());
      await stage.buffer.mending.mend((await stage.look()).findings);
      expect(await stage.kinds()).to.deep.equal([...stays]);
    });
  }

  it("does not where a chat is in neither store and records wait beneath it", async () => {
    const row = (await stage.workspace.sql("chats").where({ number: 1 }).first()) as object;
    await stage.workspace.sql("chats").where({ number: 1 }).delete();
    expect(await stage.kinds()).to.deep.equal(["parent-missing"]);
    await stage.workspace.sql("chats").insert(row);
    expect(await stage.kinds()).to.deep.equal([]);
  });

  for (const [what, first] of [
    ["was written by a later version", "2"],
    ["cannot be read", "?"],
  ] as const) {
    it(`does where a chat ${what} and records wait beneath it`, async () => {
      const { redis } = stage.workspace;
      const pending = stage.keys.pending({ token });
      const payload = (await redis.hget(pending, "3")) ?? "";
      await redis.hset(pending, "3", `${first}${payload.slice(1)}`);
      expect(await stage.kinds()).to.deep.equal([]);
    });
  }

  it("does not where Redis is behind what MySQL has of its flushes", async () => {
    const partitions = stage.workspace.sql("partitions");
    const row: { flush_sequence: number } | undefined = await partitions.clone().first("flush_sequence");
    await partitions.clone().update({ flush_sequence: 1000 });
    expect(await stage.kinds()).to.deep.equal(["sequence-behind"]);
    await partitions.clone().update({ ...row });
    expect(await stage.kinds()).to.deep.equal([]);
  });

  it("does also after all was flushed", async () => {
    await stage.drain();
    expect((await stage.look()).findings).to.deep.equal([]);
    kept = await stage.keep();
  });
});
