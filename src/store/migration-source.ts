import { readdir } from "node:fs/promises";

import type { Knex } from "knex";

const folder = new URL("../../migrations/", import.meta.url);

/**
 * The migrations beside `src/`, known by their names without extension: the same database is then migrated
 * by the sources and by the compiled program alike.
 */
export const migrationSource: Knex.MigrationSource<string> = {
  async getMigrations() {
    const files = await readdir(folder);
    return files.filter((file) => /^\d+_.*\.(ts|js)$/.test(file)).sort();
  },
  getMigrationName: (file) => file.replace(/\.(ts|js)$/, ""),
  getMigration: async (file) => (await import(new URL(file, folder).href)) as Knex.Migration,
};
