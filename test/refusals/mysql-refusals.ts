import type { Knex } from "knex";

import { again, clerk, type Ground, type Refusal, type Told } from "./refusal.ts";

type Begin = Refusal["begin"];

const user = `'${clerk.name}'@'%'`;

const warning = (says: RegExp): Told => ({ severity: "warning", says });

/** What waits is told of, and why. */
const stalled = (why: string) => warning(new RegExp(`nothing was flushed for .*${why}`));

/** Accepting goes on; flushing does not. */
function held(name: string, begin: Begin, verdict: Told | undefined, isDefect?: true): Refusal {
  return {
    name: `mysql: ${name}`,
    engine: "mysql",
    begin,
    posts: "go on",
    verdict,
    ...(isDefect && { isDefect }),
  };
}

/** Refuses some texts alone, whose neighbours land. */
function odd(name: string, begin: Begin, of: "chats" | "messages", filling = ""): Refusal {
  const refusal = held(name, begin, warning(/dead letter/), true);
  return { ...refusal, oddTexts: { head: "odd ", filling, of } };
}

/** Statements of an administrator, `{database}` being that of Sluice. */
async function run({ sql, database }: Ground, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await sql.raw(statement.replaceAll("{database}", database));
}

function statements(begin: readonly string[], end: readonly string[]): Begin {
  return async (ground) => {
    await run(ground, begin);
    return () => run(ground, end);
  };
}

/** The same where connections that there are would not notice: they are ended, when it begins and when it ends. */
function onNewConnections(begin: readonly string[], end: readonly string[]): Begin {
  return async (ground) => {
    await run(ground, begin);
    await endConnections(ground);
    return async () => {
      await run(ground, end);
      await endConnections(ground);
    };
  };
}

function ofUser(begin: string, end: string): Begin {
  return onNewConnections([`alter user ${user} ${begin}`], [`alter user ${user} ${end}`]);
}

function global(variable: string, value: string, before: string): Begin {
  return onNewConnections([`set global ${variable} = ${value}`], [`set global ${variable} = ${before}`]);
}

async function endConnections({ sql }: Ground): Promise<void> {
  const [rows] = (await sql.raw("select id from information_schema.processlist where user = ?", [
    clerk.name,
  ])) as [{ id: number }[]];
  for (const { id } of rows) await sql.raw(`kill ${id}`).catch(() => undefined);
}

/** What somebody holds, in a transaction of an administrator's, until it ends. */
function holding(...locks: readonly string[]): Begin {
  return async ({ sql, database }) => {
    const holder = await sql.transaction();
    for (const lock of locks) await holder.raw(lock.replaceAll("{database}", database));
    return () => release(holder);
  };
}

async function release(holder: Knex.Transaction): Promise<void> {
  await holder.raw("unlock tables");
  await holder.rollback();
}

/** Whoever alters a table waits for a reader, and everybody else for whoever alters it. */
const waitingForAReader: Begin = async (ground) => {
  const end = await holding("select count(*) from {database}.messages")(ground);
  const altering = run(ground, ["alter table {database}.messages comment 'altered'"]);
  return async () => {
    await end();
    await altering;
  };
};

const copyForABackup: Begin = async ({ sql }) => {
  const holder = await sql.transaction();
  for (const stage of ["start", "flush", "block_ddl", "block_commit"])
    await holder.raw(`backup stage ${stage}`);
  return async () => {
    await holder.raw("backup stage end");
    await holder.rollback();
  };
};

/** The rows of a stranger's transaction are locked, and whoever wants them gives up after a second. */
const lockedRows: Begin = async (ground) => {
  await run(ground, ["set global innodb_lock_wait_timeout = 1"]);
  await endConnections(ground);
  const end = await holding("select count(*) from {database}.messages for update")(ground);
  return async () => {
    await end();
    await run(ground, ["set global innodb_lock_wait_timeout = 50"]);
    await endConnections(ground);
  };
};

/** Somebody else has them all. */
const noConnectionLeft: Begin = async (ground) => {
  const holders = await Promise.all(Array.from({ length: 12 }, () => ground.sql.transaction()));
  await run(ground, ["set global max_connections = 10"]);
  await endConnections(ground);
  return async () => {
    // On one that there is: nobody else would get in.
    await holders[0]?.raw("set global max_connections = 151");
    await Promise.all(holders.map((holder) => holder.rollback()));
  };
};

const killedConnections: Begin = (ground) => again(200, () => endConnections(ground));

/** Those who write wait as long as they like, and are told of when nothing has been flushed for seconds. */
const waits = stalled("");

export const mysqlRefusals: readonly Refusal[] = [
  held(
    "is read-only",
    statements(["set global read_only = on"], ["set global read_only = off"]),
    stalled("MySQL 1290"),
  ),
  held("begins transactions that are read-only", global("tx_read_only", "on", "off"), stalled("MySQL 1792")),
  held("is read-locked as for a backup", holding("flush tables with read lock"), waits),
  held("has its commits blocked as for a backup", copyForABackup, waits),
  held(
    "has its messages locked by somebody who writes",
    holding("lock tables {database}.messages write"),
    waits,
  ),
  held("has its chats locked by somebody who reads", holding("lock tables {database}.chats read"), waits),
  held("has its rows locked, and says so after a second", lockedRows, stalled("MySQL 1205")),
  held("lets all wait for an ALTER that waits for a reader", waitingForAReader, waits),
  held(
    "ends statements at once",
    ofUser("with max_statement_time 0.000001", "with max_statement_time 0"),
    warning(/ends statements before they are done/),
  ),
  held("has no connection left", noConnectionLeft, warning(/no connection left/)),
  held(
    "has answered enough in this hour",
    ofUser("with max_queries_per_hour 1", "with max_queries_per_hour 0"),
    warning(/no connection left/),
  ),
  held(
    "wants another password",
    ofUser("identified by 'another'", `identified by '${clerk.password}'`),
    warning(/refuses the user or the password/),
  ),
  held(
    "locks the account",
    ofUser("account lock", "account unlock"),
    warning(/has locked the user's account/),
  ),
  held(
    "lets the password expire",
    ofUser("password expire", `identified by '${clerk.password}'`),
    warning(/password has expired/),
  ),
  held("wants TLS of the user", ofUser("require ssl", "require none"), warning(/TLS/)),
  held("wants TLS", global("require_secure_transport", "on", "off"), warning(/TLS/)),
  held(
    "has no such user",
    onNewConnections([`rename user ${user} to 'gone'@'%'`], [`rename user 'gone'@'%' to ${user}`]),
    warning(/refuses the user or the password/),
  ),
  held(
    "gives no right to insert",
    onNewConnections(
      [`revoke insert on {database}.* from ${user}`],
      [`grant insert on {database}.* to ${user}`],
    ),
    stalled("MySQL 1142"),
    true,
  ),
  held(
    "gives no right at all",
    onNewConnections(
      [`revoke all on {database}.* from ${user}`],
      [`grant select, insert, update, delete on {database}.* to ${user}`],
    ),
    warning(/too few rights/),
    true,
  ),
  held(
    "ends each connection for its init_connect",
    global("init_connect", "'select nothing from nowhere'", "''"),
    warning(/ends each new connection/),
  ),
  held("kills connections, again and again", killedConnections, undefined),
  held("ends idle connections after a second", all("wait_timeout", "interactive_timeout"), undefined),
  held("ends idle transactions after a second", global("idle_transaction_timeout", "1", "0"), undefined),
  held("has another sql_mode", global("sql_mode", "'TRADITIONAL,ANSI'", "default"), undefined),
  held("has another time zone and collation", strangeCustoms(), undefined),
  held(
    "has no table of messages",
    statements(
      ["rename table {database}.messages to {database}.moved"],
      ["rename table {database}.moved to {database}.messages"],
    ),
    stalled("MySQL 1146"),
    true,
  ),
  held(
    "has a column of another name",
    statements(
      ["alter table {database}.messages rename column body to text"],
      ["alter table {database}.messages rename column text to body"],
    ),
    stalled("MySQL 1054"),
    true,
  ),
  held(
    "has a column that nobody fills",
    statements(
      ["alter table {database}.messages add column strange int not null"],
      ["alter table {database}.messages drop column strange"],
    ),
    stalled("MySQL 1364"),
    true,
  ),
  held(
    "has a trigger that refuses all",
    statements(
      [
        "create trigger {database}.refuses before insert on {database}.messages for each row signal sqlstate '45000'",
      ],
      ["drop trigger {database}.refuses"],
    ),
    stalled("MySQL 1644"),
    true,
  ),
  odd(
    "has a trigger that refuses some messages",
    statements(
      [
        "create trigger {database}.refuses before insert on {database}.messages for each row if new.body like 'odd %' then signal sqlstate '45000'; end if",
      ],
      ["drop trigger {database}.refuses"],
    ),
    "messages",
  ),
  odd(
    "has a constraint on titles",
    statements(
      ["alter table {database}.chats add constraint refusals check (title not like 'odd %')"],
      ["alter table {database}.chats drop constraint refusals"],
    ),
    "chats",
  ),
  odd(
    "has a narrow character set for titles",
    statements(
      ["alter table {database}.chats modify title varchar(255) character set latin1 null"],
      ["alter table {database}.chats modify title varchar(255) null"],
    ),
    "chats",
    "✓",
  ),
  odd(
    "has a small max_allowed_packet",
    global("max_allowed_packet", "16384", "67108864"),
    "messages",
    "'".repeat(12_000),
  ),
];

function all(...variables: readonly string[]): Begin {
  return onNewConnections(
    variables.map((name) => `set global ${name} = 1`),
    variables.map((name) => `set global ${name} = 28800`),
  );
}

function strangeCustoms(): Begin {
  return onNewConnections(
    ["set global time_zone = '-11:00'", "set global collation_connection = 'latin1_bin'"],
    ["set global time_zone = '+00:00'", "set global collation_connection = 'utf8mb4_unicode_ci'"],
  );
}
