import { expect } from "chai";

import { Stage } from "../invariants/stage.ts";
import { runCommand } from "../support/sluice-command.ts";
import { said } from "../support/said.ts";

describe("The command that looks after the buffer", () => {
  let stage: Stage;
  let token: string;

  beforeEach(async () => {
    stage = await Stage.open();
    token = await stage.application();
    await stage.accept.chat(token, said("waiting"));
    for (let nth = 0; nth < 3; nth += 1) await stage.message(token, 1);
  });

  afterEach(async () => {
    await stage.close();
  });

  const run = (...options: string[]) => runCommand(["check", ...options], stage.workspace.env);
  const messages = () => stage.keys.list(0, "messages");
  const takeOffTheList = () => stage.workspace.redis.lrem(messages(), 1, `${token}:1:2`);

  it("says what it looked at and ends well where all is in order", async () => {
    const { code, lines } = await run();
    expect(lines).to.include("Looked at 2 applications and chats, 4 records, 4 references, 0 dead letters.");
    expect(lines).to.include("All is in order.");
    expect(code).to.equal(0);
  });

  it("says what is not, what to do, and ends with 1", async () => {
    await takeOffTheList();
    const { code, lines } = await run();
    const text = lines.join("\n");
    expect(text).to.include(`The record ${token}:1:2 is in no list, so it would never reach MySQL.`);
    expect(text).to.include("`sluice check --repair` lists it again");
    expect(text).to.include("1 finding; --repair can put right 1 of them.");
    expect(code).to.equal(1);
    expect(await stage.workspace.redis.llen(messages())).to.equal(2);
    stage.workspace.expectFindings("unlisted");
  });

  it("puts right what it can, and ends well where nothing is left", async () => {
    await takeOffTheList();
    await stage.workspace.redis.expire(stage.keys.counter({ token, chatNumber: 1 }), 3600);
    const { code, lines } = await run("--repair");
    expect(lines).to.include("Put right: 2.");
    expect(lines).to.include("All is in order.");
    expect(code).to.equal(0);
    await stage.drain();
    expect(await stage.workspace.sql("messages").where({ number: 2 })).to.have.length(1);
  });

  it("tells as JSON what stays", async () => {
    await stage.workspace.redis.rpush(messages(), `${token}:1:99`);
    const { code, lines } = await run("--repair", "--json");
    const text = lines.join("\n");
    const report = JSON.parse(text.slice(text.indexOf("{\n"), text.lastIndexOf("\n}") + 2)) as object;
    expect(report).to.deep.include({ mended: 0 });
    expect(report).to.have.nested.include({
      "findings[0].kind": "dangling",
      "findings[0].subject": `${token}:1:99`,
      "findings[0].canRepair": false,
    });
    expect(code).to.equal(1);
    stage.workspace.expectFindings("dangling");
  });
});
