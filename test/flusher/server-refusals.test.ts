import { expect } from "chai";

import { openStore } from "../../src/store/store.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { waitFor } from "../support/wait-for.ts";
import { chat, DeadLetterStage, token } from "./dead-letter-stage.ts";
import { said } from "../support/said.ts";

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);
const allPending = { chats: 0, messages: 21 };

let stage: DeadLetterStage;

const ddl = (statement: string) => stage.workspace.sql.raw(statement);
const stored = async () =>
  stage.workspace.sql("messages").orderBy("number").pluck("number") as Promise<number[]>;
const pending = async () => (await stage.buffer.totals.read(0)).pending;
const failureOf = (run: Promise<unknown>) => run.then(() => undefined).catch((error: unknown) => error);

async function accept21(bodyOf = (at: number) => (at === 11 ? "odd" : "body")): Promise<void> {
  for (const at of upTo(21)) expect(await stage.accept(chat, bodyOf(at))).to.equal(at);
}

describe("What a real server refuses", () => {
  beforeEach(async () => {
    stage = await DeadLetterStage.open();
    await stage.accept({ token }, "chat");
  });

  afterEach(async () => {
    await stage.close();
  });

  const refuseOdd = (when: string) =>
    ddl(
      `create trigger refuse_${when} before ${when} on messages for each row
       if new.body = 'odd' then signal sqlstate '45000' set message_text = 'no odd one here'; end if`,
    );

  const rows: readonly (readonly [title: string, reason: RegExp, prepare: () => Promise<unknown>])[] = [
    ["a trigger that signals", /^ER_SIGNAL_EXCEPTION$/, () => refuseOdd("insert")],
    [
      "a partition that is missing",
      /^ER_NO_PARTITION_FOR_GIVEN_VALUE$/,
      () =>
        ddl(
          `alter table messages partition by list (number)
           (partition others values in (${upTo(21)
             .filter((at) => at !== 11)
             .join(",")}))`,
        ),
    ],
    [
      "a CHECK",
      // MariaDB's word for it, and MySQL's.
      /^ER_(CONSTRAINT_FAILED|CHECK_CONSTRAINT_VIOLATED)$/,
      () => ddl("alter table messages add constraint even check (body <> 'odd')"),
    ],
  ];
  for (const [title, reason, prepare] of rows) {
    it(`by ${title} is the one record, and its neighbours land`, async () => {
      await prepare();
      await accept21();
      await stage.drain();
      expect(await stored()).to.deep.equal(upTo(21).filter((at) => at !== 11));
      const letter = await stage.onlyLetter();
      expect(letter).to.deep.include({ ...chat, number: 11 });
      expect(letter.reason).to.match(reason);
      expect((await stage.read.message(token, 1, 11)).body).to.equal("odd");
    });
  }

  it("by a trigger is the one change, and the changes beside it land", async () => {
    await accept21(() => "body");
    await stage.drain();
    await refuseOdd("update");
    for (const at of [10, 11, 12]) {
      await stage.change.updateMessage(token, 1, at, said(at === 11 ? "odd" : "changed"));
    }
    await stage.drain();
    const bodies = (await stage.workspace.sql("messages").orderBy("number").pluck("body")) as string[];
    expect(bodies.slice(9, 12)).to.deep.equal(["changed", "body", "changed"]);
    expect(await stage.onlyLetter()).to.deep.include({ number: 11, reason: "ER_SIGNAL_EXCEPTION" });
  });

  it("by a trigger is a record that came alone", async () => {
    await refuseOdd("insert");
    await stage.accept(chat, "odd");
    await stage.drain();
    expect(await stage.onlyLetter()).to.deep.include({ number: 1, reason: "ER_SIGNAL_EXCEPTION" });
  });

  it("keeps its number and words with the record, for operators, and not in the log", async () => {
    await refuseOdd("insert");
    await stage.accept(chat, "odd");
    await stage.drain();
    const [letter] = await stage.letters();
    expect(letter?.reason).to.equal("ER_SIGNAL_EXCEPTION (1644): no odd one here");
    expect(stage.reasons).to.deep.equal(["ER_SIGNAL_EXCEPTION (1644)"]);
  });

  it("by a trigger for a while lands when the trigger is gone, without a dead letter", async () => {
    await refuseOdd("insert");
    await accept21();
    const drained = stage.drain();
    await waitFor(() => stage.warnings.length > 0, { what: "the first refusal" });
    await ddl("drop trigger refuse_insert");
    await drained;
    expect(await stored()).to.deep.equal(upTo(21));
    expect(await stage.letters()).to.deep.equal([]);
  });

  const faults: readonly (readonly [string, number, string, string])[] = [
    ["a table that is missing", 1146, "rename table messages to moved", "rename table moved to messages"],
    [
      "a column that is missing",
      1054,
      "alter table messages rename column body to text",
      "alter table messages rename column text to body",
    ],
    [
      "a column without a default",
      1364,
      "alter table messages add column extra int not null",
      "alter table messages drop column extra",
    ],
    [
      "a trigger that refuses every row",
      1644,
      "create trigger refuse_all before insert on messages for each row signal sqlstate '45000'",
      "drop trigger refuse_all",
    ],
  ];
  for (const [title, errno, breakIt, mendIt] of faults) {
    it(`by ${title} is no record: all stay, and land when it is mended`, async () => {
      await accept21();
      await ddl(breakIt);
      expect(await failureOf(stage.drain())).to.have.property("errno", errno);
      expect(await pending()).to.deep.equal(allPending);
      expect(await stage.letters()).to.deep.equal([]);
      await ddl(mendIt);
      await stage.drain();
      expect(await stored()).to.deep.equal(upTo(21));
      await stage.expectNothingLeft();
    });
  }
});

describe("What a real server refuses of a user", () => {
  const allWaiting = { ...allPending, chats: 1 };
  const database = () => stage.workspace.config.database;
  let engine: PrivateEngine;
  let name: string;

  before(async () => {
    engine = await PrivateEngine.start("database");
  });
  after(() => engine.close());

  beforeEach(async () => {
    stage = await DeadLetterStage.open(engine.env);
    await stage.accept({ token }, "chat");
    name = `u${String(Date.now())}`;
    await ddl(`create user '${name}'@'%' identified by 'secret'`);
    await ddl(`grant select, insert, update, delete on \`${database().name}\`.* to '${name}'@'%'`);
  });
  afterEach(async () => {
    await ddl(`drop user '${name}'@'%'`);
    await stage.close();
  });

  const asUser = () => openStore({ ...database(), username: name, password: "secret" }, "writing");

  it("without the right to insert is no record: all stay, and land when it has the right", async () => {
    await accept21();
    await ddl(`revoke insert on \`${database().name}\`.* from '${name}'@'%'`);
    const refused = asUser();
    expect(await failureOf(stage.drain(refused))).to.have.property("errno", 1142);
    await refused.close();
    expect([await pending(), await stage.letters()]).to.deep.equal([allWaiting, []]);
    await stage.drain();
    expect(await stored()).to.deep.equal(upTo(21));
  });

  it("while it is read-only is no record: all wait, and land when it is not", async () => {
    await accept21();
    const store = asUser();
    try {
      await ddl("set global read_only = on");
      const drained = stage.drain(store);
      await waitFor(() => stage.warnings.length > 0, { what: "the flusher to wait" });
      expect(await pending()).to.deep.equal(allWaiting);
      await ddl("set global read_only = off");
      await drained;
    } finally {
      await ddl("set global read_only = off");
      await store.close();
    }
    expect(await stored()).to.deep.equal(upTo(21));
    expect(await stage.letters()).to.deep.equal([]);
  });
});
