import { expect } from "chai";

import { seed } from "../support/buffers.ts";
import { chat, DeadLetterStage, token } from "./dead-letter-stage.ts";

describe("A record that is listed twice within a batch", () => {
  let stage: DeadLetterStage;

  beforeEach(async () => {
    stage = await DeadLetterStage.open();
    await stage.accept({ token }, "chat");
    await stage.drain();
    await seed(stage.buffer, chat, 0);
    for (const body of ["one", "two", "three"]) await stage.accept(chat, body);
  });

  afterEach(async () => {
    await stage.close();
  });

  const stored = async () =>
    (await stage.workspace.sql("messages").orderBy("number").pluck("body")) as string[];

  async function listAgain(reference: string): Promise<void> {
    await stage.workspace.redis.rpush(stage.keys.list(0, "messages"), reference);
  }

  it("is written once where it is new, both references leave the list, and so do its neighbours", async () => {
    await listAgain(`${token}:1:2`);
    await stage.drain();
    expect(await stored()).to.deep.equal(["one", "two", "three"]);
    expect(await stage.total("rows:minute")).to.equal(4);
    await stage.expectNothingLeft();
  });

  it("is written once where it was changed before its flush, as it is by then", async () => {
    await stage.revise("message", 2, { text: "changed" });
    await listAgain(`${token}:1:2`);
    await stage.drain();
    expect(await stored()).to.deep.equal(["one", "changed", "three"]);
    await stage.expectNothingLeft();
  });

  it("is changed once where it is a change of a row", async () => {
    await stage.drain();
    await stage.revise("message", 2, { text: "changed" });
    await listAgain(`${token}:1:2:r`);
    await stage.drain();
    expect(await stored()).to.deep.equal(["one", "changed", "three"]);
    await stage.expectNothingLeft();
  });

  it("is one dead letter where MySQL refuses it", async () => {
    const number = await stage.kind("message").refused();
    await listAgain(`${token}:1:${number}`);
    await stage.drain();
    expect(await stored()).to.deep.equal(["one", "two", "three"]);
    expect(await stage.onlyLetter()).to.deep.include({ ...chat, number });
    expect((await stage.buffer.totals.read(0)).pending).to.deep.equal({ chats: 0, messages: 0 });
  });
});
