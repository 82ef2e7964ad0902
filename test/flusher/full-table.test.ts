import { expect } from "chai";

import { PrivateEngine } from "../support/private-engines.ts";
import { waitFor } from "../support/wait-for.ts";
import { chat, DeadLetterStage, token } from "./dead-letter-stage.ts";

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);
const count = 60;

describe("A table without room for a row more", () => {
  let engine: PrivateEngine;
  let stage: DeadLetterStage;

  before(async () => {
    // A table of MyISAM then takes 64 KiB.
    engine = await PrivateEngine.start("database", ["--myisam-data-pointer-size=2"]);
    stage = await DeadLetterStage.open(engine.env);
  });
  after(async () => {
    await stage.close();
    await engine.close();
  });

  it("is waited for as an outage is: no record is to blame, and all land when there is room", async () => {
    const { sql } = stage.workspace;
    await stage.accept({ token }, "chat");
    for (const at of upTo(count)) await stage.accept(chat, `${at}`.padEnd(6000, "."));
    await sql.raw("alter table messages engine = myisam");
    const drained = stage.drain();
    await waitFor(() => stage.waits.length > 0, { what: "the flusher to wait" });
    expect(stage.waits[0]).to.deep.include({ failure: "outage" });
    expect(stage.waits[0]?.err).to.have.property("errno", 1114);
    expect((await stage.buffer.totals.read(0)).pending.messages).to.equal(count);
    await sql.raw("alter table messages engine = innodb");
    await drained;
    const numbers: unknown = await sql("messages").orderBy("number").pluck("number");
    expect(numbers).to.deep.equal(upTo(count));
    expect([await stage.letters(), stage.errors]).to.deep.equal([[], []]);
  });
});
