import { expect } from "chai";

import { createChanger } from "../../src/http/change.ts";
import type { Changer, Reader } from "../../src/http/services.ts";
import { chat, DeadLetterStage, statusOf, token } from "./dead-letter-stage.ts";
import { said } from "../support/said.ts";

describe("A change of a record that comes to be while it is looked for", () => {
  let stage: DeadLetterStage;

  beforeEach(async () => {
    stage = await DeadLetterStage.open();
  });

  afterEach(async () => {
    await stage.close();
  });

  /** What changes while somebody else acts between the look for the record and that for what its client is told. */
  function beside(act: () => Promise<unknown>): Changer {
    let isFirst = true;
    const first = async () => {
      if (isFirst) await act();
      isFirst = false;
    };
    const read: Reader = {
      ...stage.read,
      chat: async (...place) => first().then(() => stage.read.chat(...place)),
      message: async (...place) => first().then(() => stage.read.message(...place)),
    };
    return createChanger(stage.buffer, stage.store, read);
  }

  it("deletes a chat, or says that there is none", async () => {
    const change = beside(() => stage.accept({ token }, "chat"));
    expect(await statusOf(change.deleteChat(token, 1))).to.equal(200);
    expect(await statusOf(stage.read.chat(token, 1))).to.equal(404);
  });

  it("deletes a message, or says that there is none", async () => {
    await stage.accept({ token }, "chat");
    const change = beside(() => stage.accept(chat, "message"));
    expect(await statusOf(change.deleteMessage(token, 1, 1))).to.equal(200);
    expect(await statusOf(stage.read.message(token, 1, 1))).to.equal(404);
    expect(await statusOf(change.deleteMessage(token, 1, 1))).to.equal(404);
  });

  it("changes a chat and a message", async () => {
    const ofChat = beside(() => stage.accept({ token }, "chat"));
    expect((await ofChat.updateChat(token, 1, said("changed"))).title).to.equal("changed");
    const ofMessage = beside(() => stage.accept(chat, "message"));
    expect((await ofMessage.updateMessage(token, 1, 1, said("changed"))).body).to.equal("changed");
    expect((await stage.read.message(token, 1, 1)).body).to.equal("changed");
  });
});
