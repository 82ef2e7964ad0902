import { readFileSync } from "node:fs";

import knex, { type Knex } from "knex";

import { type Config, loadConfig } from "../../src/config.ts";
import { knexSettings } from "../../src/store/connection.ts";
import { migrate } from "../../src/store/migrate.ts";

/** Names the back ends, where `DATABASE_…` leads to a front: the `DATABASE_…` of each, as JSON. */
export const backEndsVariable = "SLUICE_TEST_BACK_ENDS";

type Database = Config["database"];

const tables = new URL("../../deploy/spider/tables.sql", import.meta.url);

/** Makes a database with Sluice's tables; behind a front as docs/scale-out.md tells people to. */
export async function createDatabase(env: NodeJS.ProcessEnv): Promise<void> {
  const { database } = loadConfig(env);
  const backEnds = backEndsIn(env);
  await Promise.all([database, ...backEnds].map(migrate));
  if (backEnds.length === 0) return;
  await withConnection(database, async (sql) => {
    const text = readFileSync(tables, "utf8").replaceAll(/^--.*$/gm, "");
    const statements = text.split(";").filter((statement) => statement.trim() !== "");
    for (const statement of statements) await sql.raw(statement);
  });
}

/** Removes a database, from the back ends as well. */
export async function dropDatabase(env: NodeJS.ProcessEnv): Promise<void> {
  const { database } = loadConfig(env);
  for (const one of [database, ...backEndsIn(env)])
    await withConnection(one, async (sql) => sql.raw("drop database ??", [one.name]));
}

function backEndsIn(env: NodeJS.ProcessEnv): Database[] {
  const backEnds = JSON.parse(env[backEndsVariable] ?? "[]") as NodeJS.ProcessEnv[];
  return backEnds.map((backEnd) => {
    const { REDIS_URL, DATABASE_NAME } = env;
    return loadConfig({ ...backEnd, REDIS_URL, DATABASE_NAME }).database;
  });
}

async function withConnection(database: Database, use: (sql: Knex) => Promise<unknown>): Promise<void> {
  const sql = knex(knexSettings(database, "writing"));
  try {
    await use(sql);
  } finally {
    await sql.destroy();
  }
}
