import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect } from "chai";

import { openStore } from "../../src/store/store.ts";
import { RunningSluice } from "./running-sluice.ts";
import { faultOf } from "./sql-guard.ts";
import { waitFor } from "./wait-for.ts";
import { readNotes, watchArguments } from "./watched-statements.ts";
import { openWorkspace, type Workspace } from "./workspace.ts";

const bad: Record<string, string> = {
  "create table t (id int auto_increment)": "contains AUTO_INCREMENT",
  "alter table messages add foreign key (chat_number) references chats (number)": "contains FOREIGN KEY",
  "create trigger t before insert on chats for each row set @a = 1": "contains TRIGGER",
  "select 1 from removals for update skip  locked": "contains SKIP LOCKED",
  "select lease from partitions where partition_number = ? lock in share mode": "contains a shared lock",
  "create table t (a int primary key) collate utf8mb4_unicode_520_ci": "contains a collation that TiDB lacks",
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
  "select max(number) as stored from chats where application_token = ?":
    "gives the name stored, which some server reserves",
  "select number from chats where application_token = ? and exists (select 1 from applications where token = ?)":
    "contains a subquery",
  "select number from chats where application_token = (select token from applications limit 1)":
    "contains a subquery",
  "select (select 1 from applications where token = ?) as found": "contains a subquery",
  "select token from applications where token not in (select application_token from removals)":
    "contains a subquery",
  "select count(*) as `count` from `messages` where `application_token` = ? limit ?":
    "contains a LIMIT of an aggregate",
  "insert into messages (number) values (?)": "does not name the application's token",
};

const good: readonly string[] = [
  "create table `knex_migrations` (`id` int unsigned not null auto_increment primary key)",
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
  "select cast(number as char) as noted, 1 as `stored` from chats where application_token = ?",
  "select get_lock(?, 10) as is_mine",
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

  it("sees what the API, a flusher and this process send", async () => {
    const sluice = await RunningSluice.start();
    try {
      const pids = [process.pid, sluice.api.child.pid ?? 0, sluice.flusher.child.pid ?? 0];
      const store = openStore(workspace.config.database, "writing");
      await store.ping().finally(() => store.close());
      await sluice.client.post("/applications", { name: "watched" });
      const areWatched = () => pids.every((pid) => readNotes().watched.includes(pid));
      await waitFor(areWatched, { what: "a statement of each process" });
    } finally {
      await sluice.stop();
    }
  });

  it("fails a bad statement before it is sent, and notes it", () => {
    const { printed, notes } = runWatched(
      'await pool("chats").catch(({ message }) => console.log(message));',
    );
    expect(printed).to.include("a statement does not name the application's token");
    expect(notes).to.match(/^fault does not name the application's token: select/m);
  });

  it("leaves a test's own connections alone", async () => {
    expect(await workspace.sql("chats")).to.deep.equal([]);
  });

  /** Runs statements in a process of its own, whose notes are not those of this run. */
  function runWatched(statements: string): { printed: string; notes: string } {
    const notesFile = path.join(mkdtempSync(path.join(tmpdir(), "sluice-watched-")), "notes");
    const sources = new URL("../../src/", import.meta.url).href;
    const program = `
      import { loadConfig } from "${sources}config.ts";
      import { openPool } from "${sources}store/connection.ts";
      const pool = openPool(loadConfig().database, "writing");
      ${statements}
      process.exit();`;
    const { stdout } = spawnSync(
      process.execPath,
      [...watchArguments, "--input-type=module", "--eval", program],
      { env: { ...workspace.env, SLUICE_TEST_STATEMENTS: notesFile }, encoding: "utf8" },
    );
    const notes = readFileSync(notesFile, "utf8");
    rmSync(path.dirname(notesFile), { recursive: true });
    return { printed: stdout, notes };
  }
});
