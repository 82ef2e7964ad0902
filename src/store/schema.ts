import type { Knex } from "knex";

import { errorCode } from "./failure.ts";
import { migrationSource } from "./migration-source.ts";

/** Codes of a database, or a record of what was migrated, that is not there. */
const missing: readonly (string | undefined)[] = ["ER_BAD_DB_ERROR", "ER_NO_SUCH_TABLE"];

/** Known once: a program has the migrations that it was started with. */
let newest: string | undefined;

async function newestMigration(): Promise<string> {
  const [file = ""] = (await migrationSource.getMigrations([])).slice(-1);
  return migrationSource.getMigrationName(file);
}

/**
 * Whether the database has all migrations of this program. It may have those of a newer one as well.
 *
 * @throws what MySQL or the way to it says
 */
export async function isMigrated(knex: Knex): Promise<boolean> {
  const name = (newest ??= await newestMigration());
  try {
    return (await knex("knex_migrations").where({ name }).first("name")) !== undefined;
  } catch (error) {
    if (missing.includes(errorCode(error))) return false;
    throw error;
  }
}
