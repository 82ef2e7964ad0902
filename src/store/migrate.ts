import { createHash } from "node:crypto";

import knex, { type Knex } from "knex";

import type { Config } from "../config.ts";
import { knexSettings } from "./connection.ts";
import { classify, errorCode } from "./failure.ts";

/**
 * Brings the database to the schema of this program, making the database itself where it is missing. Of several at a
 * time one does it, and the others wait until that is done; one that died in the middle holds up nobody.
 * Answers the names of the migrations that were run; run again, there are none.
 *
 * @throws what MySQL or the way to it says
 */
export async function migrate(database: Config["database"]): Promise<readonly string[]> {
  const pool = knex(knexSettings(database, "writing"));
  try {
    await ensureDatabase(database, async () => pool.raw("select 1"));
    return await inTurn(pool, database.name, async () => {
      const [, names] = (await pool.migrate.latest()) as [number, string[]];
      return names;
    });
  } finally {
    await pool.destroy();
  }
}

/** Seconds that the server waits for the lock before it is asked again: less than an answer may take. */
const lockSeconds = 10;
/** Seconds for which the connection that holds the lock may have nothing to say. */
const mostSeconds = 86_400;

/**
 * Runs what knex would refuse to run beside another. The lock is the connection's: it ends with a process that
 * dies. One engine or other has no such lock; there knex's alone must do.
 */
async function inTurn<T>(pool: Knex, databaseName: string, run: () => Promise<T>): Promise<T> {
  const name = `sluice migrate ${createHash("sha256").update(databaseName).digest("hex").slice(0, 16)}`;
  return pool.transaction(async (holder) => {
    if (await takeLock(holder, name)) await freeKnexLock(pool);
    return run();
  });
}

/** Whether the lock is held from now on; else the server knows no such lock. */
async function takeLock(holder: Knex.Transaction, name: string): Promise<boolean> {
  try {
    await holder.raw(`set wait_timeout = ${mostSeconds}`);
    for (;;) {
      const sql = `select get_lock(?, ${lockSeconds}) as is_mine`;
      const [[row]] = (await holder.raw(sql, [name])) as [[{ is_mine: number | null }?]];
      // 0 says that another holds it still.
      if (row?.is_mine !== 0) return row?.is_mine === 1;
    }
  } catch (error) {
    if (classify(error) === "outage") throw error;
    return false;
  }
}

/**
 * knex notes in a row that somebody migrates. Nobody does, so a row that says so is of one who died, and several are of
 * several who began at the same time: knex makes a new one where there is none.
 */
async function freeKnexLock(pool: Knex): Promise<void> {
  const table = "knex_migrations_lock";
  if (await pool.schema.hasTable(table)) await pool(table).delete();
}

async function ensureDatabase(database: Config["database"], probe: () => Promise<unknown>): Promise<void> {
  try {
    await probe();
  } catch (error) {
    if (errorCode(error) !== "ER_BAD_DB_ERROR") throw error;
    await createDatabase(database);
  }
}

async function createDatabase(database: Config["database"]): Promise<void> {
  const { connection, ...settings } = knexSettings(database, "writing");
  const server = knex({ ...settings, connection: { ...(connection as object), database: "" } });
  try {
    await server.raw("create database if not exists ?? character set utf8mb4", [database.name]);
  } finally {
    await server.destroy();
  }
}
