import { expect } from "chai";
import knex from "knex";

import { knexSettings } from "../../src/store/connection.ts";
import {
  classify,
  errorCode,
  type FailureClass,
  isConnectionLoss,
  NotUniqueError,
  reasonOf,
} from "../../src/store/failure.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

/** An error as the driver makes it; the message says nothing that a class may rest on. */
const mysqlError = (errno: number, members: object = {}) =>
  Object.assign(new Error("a message"), { errno, code: `ER_${errno}`, sqlState: "HY000", ...members });
const nodeError = (code: string, errno = -111) => Object.assign(new Error("a message"), { code, errno });
const named = (name: string) => Object.assign(new Error("a message"), { name });

describe("A failure of MySQL, by its code", () => {
  const table: readonly (readonly [FailureClass, string, unknown])[] = [
    ["contention", "lock wait timeout", mysqlError(1205)],
    ["contention", "deadlock", mysqlError(1213)],
    ["contention", "rollback of what a back end has rolled back by itself", mysqlError(1399)],
    ["contention", "transaction that a front still has under this number", mysqlError(12605)],
    ["contention", "transaction that a back end still has under this number", mysqlError(1440)],
    ["contention", "write conflict of TiDB", mysqlError(9007)],
    ["duplicate", "duplicate entry", mysqlError(1062)],
    ["duplicate", "duplicate entry with the key's name", mysqlError(1586)],
    ["not-unique", "duplicate entry of no key of ours", new NotUniqueError(mysqlError(1062))],
    ["too-large", "packet too large", mysqlError(1153)],
    ["bad-data", "column cannot be null", mysqlError(1048)],
    ["bad-data", "out of range", mysqlError(1264)],
    ["bad-data", "incorrect string value", mysqlError(1366)],
    ["bad-data", "data too long", mysqlError(1406)],
    ["bad-data", "invalid character string", mysqlError(1300)],
    ["bad-data", "check constraint of MySQL", mysqlError(3819)],
    ["bad-data", "check constraint of MariaDB", mysqlError(4025)],
    ["outage", "too many connections", mysqlError(1040)],
    ["outage", "access denied while a password is changed", mysqlError(1045)],
    ["outage", "server shutdown in progress", mysqlError(1053)],
    ["outage", "server is read-only", mysqlError(1290)],
    ["outage", "read-only mode", mysqlError(1836)],
    ["outage", "disk full", mysqlError(1021)],
    ["outage", "query interrupted", mysqlError(1317)],
    ["outage", "connection was killed", mysqlError(1927)],
    ["outage", "server has gone away", mysqlError(2006)],
    ["outage", "front cannot reach a back end", mysqlError(1429)],
    ["outage", "back end died under the front", mysqlError(12701)],
    ["outage", "front cannot read from a back end", mysqlError(1158)],
    ["outage", "region of TiDB unavailable", mysqlError(9005)],
    ["outage", "refused", nodeError("ECONNREFUSED")],
    ["outage", "reset", nodeError("ECONNRESET", -104)],
    ["outage", "broken pipe", nodeError("EPIPE", -32)],
    ["outage", "timeout", nodeError("ETIMEDOUT", -110)],
    ["outage", "no such host", nodeError("ENOTFOUND", -3008)],
    ["outage", "name server away", nodeError("EAI_AGAIN", -3001)],
    ["outage", "no such socket", nodeError("ENOENT", -2)],
    ["outage", "lost in the middle", nodeError("PROTOCOL_CONNECTION_LOST", 0)],
    ["outage", "no connection in time", named("KnexTimeoutError")],
    ["outage", "whatever ended the connection", Object.assign(new Error("a message"), { fatal: true })],
    ["defect", "no such table", mysqlError(1146)],
    ["defect", "no such column", mysqlError(1054)],
    ["defect", "syntax", mysqlError(1064)],
    ["defect", "no right to insert", mysqlError(1142)],
    ["defect", "column without a default", mysqlError(1364)],
    ["defect", "table that is damaged", mysqlError(1194)],
    ["defect", "an error of which the server knows nothing", mysqlError(1105)],
    ["outage", "table full", mysqlError(1114)],
    ["outage", "cluster that is not ready", mysqlError(1047)],
    ["outage", "statement that took too long for MariaDB", mysqlError(1969)],
    ["outage", "password that has expired", mysqlError(1862)],
    ["outage", "password that must be set anew", mysqlError(1820)],
    ["outage", "write to a file that failed, as on a full disk", mysqlError(3)],
    ["outage", "file that cannot be written", mysqlError(1026)],
    ["outage", "error of the storage engine", mysqlError(1030)],
    ["outage", "read lock of the session's own", mysqlError(1223)],
    ["outage", "no entry without a password, MariaDB", mysqlError(1698)],
    ["outage", "transaction that is read-only", mysqlError(1792)],
    ["outage", "statement that took too long for MySQL", mysqlError(3024)],
    ["outage", "account that is locked, MySQL", mysqlError(3118)],
    ["outage", "TLS wanted", mysqlError(3159)],
    ["outage", "client that was idle for too long", mysqlError(4031)],
    ["outage", "account that is locked, MariaDB", mysqlError(4151)],
    ["contention", "table that was altered since the transaction began", mysqlError(1412)],
    ["unlisted", "signal of a trigger", mysqlError(1644)],
    ["unlisted", "no partition for a value", mysqlError(1526)],
    ["unlisted", "code that nobody has heard of", mysqlError(7777)],
    [
      "outage",
      "code that nobody has heard of and that ended the connection",
      mysqlError(7777, { fatal: true }),
    ],
    ["defect", "number that no server gave", Object.assign(new Error("a message"), { errno: 7777 })],
    ["defect", "wrong number of values", mysqlError(1136)],
    ["defect", "an error of ours", new TypeError("x is not a function")],
    ["defect", "words that only sound like an outage", new Error("connect ECONNREFUSED Deadlock found")],
    ["defect", "no error at all", "ECONNREFUSED"],
    ["defect", "nothing", undefined],
  ];

  for (const [kind, what, error] of table) {
    it(`is of class ${kind}: ${what}`, () => {
      expect(classify(error)).to.equal(kind);
    });
  }

  it("is told by the server's number even where it also ended the connection", () => {
    expect(classify(mysqlError(1153, { fatal: true }))).to.equal("too-large");
  });

  it("is a lost connection where there was one", () => {
    for (const code of ["ECONNRESET", "EPIPE", "PROTOCOL_CONNECTION_LOST"]) {
      expect(isConnectionLoss(nodeError(code)), code).to.equal(true);
    }
    expect(isConnectionLoss(mysqlError(2013))).to.equal(true);
    for (const other of [nodeError("ECONNREFUSED"), nodeError("ETIMEDOUT"), mysqlError(1406), "ECONNRESET"]) {
      expect(isConnectionLoss(other)).to.equal(false);
    }
  });

  it("has a word for why a row is refused", () => {
    expect(reasonOf(mysqlError(1406, { code: "ER_DATA_TOO_LONG" }))).to.equal("ER_DATA_TOO_LONG");
    expect(reasonOf(mysqlError(4025, { code: "of another server" }))).to.equal("ER_CONSTRAINT_FAILED");
    expect(reasonOf(mysqlError(7777, { code: undefined }))).to.equal("MySQL error 7777");
  });

  it("tells its code, where it has one", () => {
    expect(errorCode(nodeError("ER_DUP_ENTRY"))).to.equal("ER_DUP_ENTRY");
    expect(errorCode(new Error("none"))).to.equal(undefined);
    expect(errorCode({ code: "ER_DUP_ENTRY" })).to.equal(undefined);
  });
});

describe("A failure that a real server gives", () => {
  let workspace: Workspace;

  before(async () => {
    workspace = await openWorkspace();
    await workspace.sql.raw(
      "create table refusals (id int primary key, word varchar(3) not null, n tinyint)",
    );
  });

  after(async () => {
    await workspace.close();
  });

  async function failureOf(
    sql: string,
    bindings: readonly (string | number | null)[] = [],
  ): Promise<unknown> {
    try {
      await workspace.sql.raw(sql, [...bindings]);
    } catch (error) {
      return error;
    }
    throw new Error("it did not fail");
  }

  it("is a duplicate, bad data or a defect as the statement deserves", async () => {
    const insert = "insert into refusals values (?, ?, ?)";
    await workspace.sql.raw(insert, [1, "one", 1]);
    expect(classify(await failureOf(insert, [1, "one", 1]))).to.equal("duplicate");
    expect(classify(await failureOf(insert, [2, "four", 1]))).to.equal("bad-data");
    expect(classify(await failureOf(insert, [2, null, 1]))).to.equal("bad-data");
    expect(classify(await failureOf(insert, [2, "two", 1000]))).to.equal("bad-data");
    expect(classify(await failureOf("insert into nowhere values (1)"))).to.equal("defect");
    expect(classify(await failureOf("nonsense"))).to.equal("defect");
  });

  it("is contention where two transactions hold what the other wants", async () => {
    await workspace.sql("refusals").delete();
    await workspace.sql("refusals").insert([
      { id: 1, word: "a", n: 0 },
      { id: 2, word: "b", n: 0 },
    ]);
    const bothHoldOne = meeting(2);
    const cross = (first: number, second: number) =>
      workspace.sql.transaction(async (transaction) => {
        await transaction("refusals").where({ id: first }).update({ n: first });
        await bothHoldOne();
        await transaction("refusals").where({ id: second }).update({ n: first });
      });
    const outcomes = await Promise.allSettled([cross(1, 2), cross(2, 1)]);
    const failures = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(failures.map(({ reason }) => classify(reason))).to.deep.equal(["contention"]);
  });

  it("is contention where a table was altered since the transaction began (1412)", async () => {
    await workspace.sql.raw("create table altered (id int primary key)");
    const failed: unknown = await workspace.sql
      .transaction(
        async (transaction) => {
          // With this isolation a snapshot is taken by the first read, of whichever table.
          await transaction.raw("select * from refusals");
          await workspace.sql.raw("alter table altered add column word int, algorithm = copy");
          await transaction.raw("select * from altered");
        },
        { isolationLevel: "repeatable read" },
      )
      .catch((error: unknown) => error);
    expect(failed).to.have.property("errno", 1412);
    expect(classify(failed)).to.equal("contention");
  });

  it("is an outage where the server has ended a connection that was idle", async () => {
    const idle = knex({ ...knexSettings(workspace.config.database, "writing"), pool: { min: 0, max: 1 } });
    let failed: unknown;
    await idle
      .transaction(async (transaction) => {
        const [[row]] = (await transaction.raw("select connection_id() as id")) as [[{ id: number }]];
        await transaction.raw("set wait_timeout = 1");
        await waitFor(async () => !(await isConnected(row.id)), { what: "the server to end it" });
        failed = await transaction.raw("select 1").catch((error: unknown) => error);
        throw failed;
      })
      .catch(() => undefined);
    await idle.destroy();
    expect(classify(failed), String(failed)).to.equal("outage");
  });

  async function isConnected(id: number): Promise<boolean> {
    const find = "select id from information_schema.processlist where id = ?";
    const [rows] = (await workspace.sql.raw(find, [id])) as [unknown[]];
    return rows.length > 0;
  }

  it("is an outage where nobody listens, and where the connection is killed in the middle", async () => {
    const settings = knexSettings({ ...workspace.config.database, port: 1 }, "requests");
    const nowhere = knex(settings);
    const refused: unknown = await nowhere.raw("select 1").catch((error: unknown) => error);
    await nowhere.destroy();
    expect(classify(refused)).to.equal("outage");

    const killed = failureOf("do sleep(600) /* to be killed */");
    const [victims] = (await untilSleeping(workspace)) as [{ id: number }[]];
    await workspace.sql.raw("kill ?", [victims[0]?.id ?? 0]);
    expect(classify(await killed)).to.equal("outage");
  });
});

/** A function that resolves once it was called as often as said. */
function meeting(expected: number): () => Promise<void> {
  let arrive = (): void => undefined;
  const complete = new Promise<void>((resolve) => (arrive = resolve));
  let arrived = 0;
  return () => {
    arrived += 1;
    if (arrived === expected) arrive();
    return complete;
  };
}

async function untilSleeping({ sql }: Workspace): Promise<unknown> {
  const find = () =>
    sql.raw("select id from information_schema.processlist where info like 'do sleep(600)%to be killed%'");
  return waitFor(
    async () => {
      const found = (await find()) as [unknown[]];
      return found[0].length > 0 && found;
    },
    { what: "the statement to run" },
  );
}
