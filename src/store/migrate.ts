import knex from "knex";

import type { Config } from "../config.ts";
import { knexSettings } from "./connection.ts";
import { errorCode } from "./failure.ts";

/**
 * Brings the database to the schema of this program, making the database itself where it is missing.
 * Answers the names of the migrations that were run; run again, there are none.
 */
export async function migrate(database: Config["database"]): Promise<readonly string[]> {
  const pool = knex(knexSettings(database, "writing"));
  try {
    await ensureDatabase(database, async () => pool.raw("select 1"));
    const [, names] = (await pool.migrate.latest()) as [number, string[]];
    return names;
  } finally {
    await pool.destroy();
  }
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
