import { expect } from "chai";

import { openPool } from "../../src/store/connection.ts";
import { faultOf, guardSql } from "./sql-guard.ts";
import { openWorkspace, type Workspace } from "./workspace.ts";

const bad: Record<string, string> = {
  "create table t (id int auto_increment)": "contains AUTO_INCREMENT",
  "alter table messages add foreign key (chat_number) references chats (number)": "contains FOREIGN KEY",
  "create trigger t before insert on chats for each row set @a = 1": "contains TRIGGER",
  "select 1 from removals for update skip  locked": "contains SKIP LOCKED",
  "select GET_LOCK('a', 1)": "contains GET_LOCK",
  "insert into chats (application_token) values (?) returning number": "contains RETURNING",
  "SAVEPOINT trx2;": "contains SAVEPOINT",
  "release savepoint a": "contains SAVEPOINT",
  "insert ignore into chats (application_token) values (?)": "contains INSERT IGNORE",
  "INSERT\nIGNORE into chats (application_token) values (?)": "contains INSERT IGNORE",
  "replace into chats (application_token) values (?)": "contains REPLACE",
  "select number from messages where application_token = ? and instr(body, ?) > 0":
    "contains INSTR or LOCATE",
  "select number from messages where application_token = ? and locate(?, body)": "contains INSTR or LOCATE",
  "select number from messages where application_token = ? and body like ? escape '!'":
    "contains LIKE … ESCAPE",
  "insert into chats (application_token, number) values (?, ?) as new on duplicate key update number = new.number":
    "contains a row alias",
  "select * from `messages` where `number` = ?": "does not name the application's token",
  "select `application_token` from `messages` where `number` = ?": "does not name the application's token",
  "delete from messages": "does not name the application's token",
  "update `chats` set `title` = ? where `number` = ?": "does not name the application's token",
  "select count(*) from chats": "does not name the application's token",
  "insert into messages (number) values (?)": "does not name the application's token",
};

const good: readonly string[] = [
  "select 1",
  "insert into chats (application_token, number, title) values (?,?,?),(?,?,?)",
  "select `number`, `body` from `messages` where `application_token` = ? and `chat_number` = ? order by `number`",
  "select `number` from `messages` where (`application_token`, `chat_number`, `number`) in ((?,?,?))",
  "delete from `messages` where `application_token` = ? and (`chat_number`, `number`) in ((?, ?))",
  "update `applications` set `last_chat_number` = greatest(last_chat_number, ?) where `token` = ?",
  "select `number` from ((select `number` from `chats` where `application_token` = ?) union (select ? as number)) as `numbers`",
  "select `name` from `applications` where `name` = 'insert ignore into chats savepoint'",
  "select count(*) as `count` from `chats` where `application_token` = ?",
  "select number from messages where application_token = ? and body like ?",
];

describe("The guard of the tests' SQL", () => {
  let workspace: Workspace;

  before(async () => {
    workspace = await openWorkspace();
  });

  after(async () => {
    await workspace.close();
  });

  for (const [statement, fault] of Object.entries(bad)) {
    it(`refuses ${statement}`, () => {
      expect(faultOf(statement)).to.equal(fault);
    });
  }

  for (const statement of good) {
    it(`lets pass ${statement}`, () => {
      expect(faultOf(statement)).to.equal(undefined);
    });
  }

  it("fails a bad statement of a pool and keeps its fault, and leaves the others alone", async () => {
    const pool = openPool(workspace.config.database, "writing");
    try {
      const { faults } = guardSql(pool);
      expect(await pool("chats").where({ application_token: "a" })).to.deep.equal([]);
      const outcome: unknown = await pool("chats").catch((error: unknown) => error);
      expect(outcome).to.be.an("error").with.property("message").that.includes("does not name");
      expect(faults).to.have.lengthOf(1);
      expect(await pool("applications").select("token")).to.deep.equal([]);
    } finally {
      await pool.destroy();
    }
  });
});
