import { readFileSync } from "node:fs";

import knex, { type Knex } from "knex";

import { type Config, loadConfig } from "../../src/config.ts";
import { knexSettings } from "../../src/store/connection.ts";
import { migrate } from "../../src/store/migrate.ts";
import { ofTests } from "./sql-guard.ts";

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
    for (const statement of statementsIn(tables)) await sql.raw(statement);
  });
}

/** Removes a database, from the back ends as well. */
export async function dropDatabase(env: NodeJS.ProcessEnv): Promise<void> {
  const { database } = loadConfig(env);
  for (const one of [database, ...backEndsIn(env)])
    await withConnection(one, async (sql) => {
      await sql.raw("drop database ??", [one.name]);
    });
}

function backEndsIn(env: NodeJS.ProcessEnv): Database[] {
  const backEnds = JSON.parse(env[backEndsVariable] ?? "[]") as NodeJS.ProcessEnv[];
  return backEnds.map((backEnd) => {
    const { REDIS_URL, DATABASE_NAME } = env;
    return loadConfig({ ...backEnd, REDIS_URL, DATABASE_NAME }).database;
  });
}

/** Uses a connection to a server, for statements of the tests' own. */
export async function withConnection<T>(database: Database, use: (sql: Knex) => Promise<T>): Promise<T> {
  const sql = knex(ofTests(knexSettings(database, "writing")));
  try {
    return await use(sql);
  } finally {
    await sql.destroy();
  }
}

/** The statements of a file of SQL; it may change the delimiter, as the client does. */
export function statementsIn(file: URL): string[] {
  const text = readFileSync(file, "utf8").replaceAll(/^--.*$/gm, "");
  const parts = text.split(/^delimiter (\S+)$/m);
  const groups = parts.filter((_, at) => at % 2 === 0);
  return (
    groups
      .flatMap((group, at) => group.split(at === 0 ? ";" : (parts[2 * at - 1] ?? ";")))
      .filter((statement) => statement.trim() !== "")
      // A question mark would be taken for a value's place.
      .map((statement) => statement.replaceAll("?", "\\?"))
  );
}
