import type { Config } from "../config.ts";
import { migrate } from "../store/migrate.ts";

/** Brings the database to this program's schema and says what was done. */
export async function runMigrate(config: Config): Promise<void> {
  const names = await migrate(config.database);
  console.log(names.length === 0 ? "The database is up to date." : `Migrated: ${names.join(", ")}`);
}
