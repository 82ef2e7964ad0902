import type { Knex } from "knex";

import { define } from "./repeatable.ts";

/**
 * The removal of an application stays for a while after its end, so that no repeated POST brings the application
 * back. A removal that is not finished has no end; by the key those are found among many that have one.
 */
export async function up(knex: Knex): Promise<void> {
  await define(
    knex,
    `
    alter table removals
      add column finished_at datetime(3) null,
      add key removals_by_end (finished_at)`,
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw("delete from removals where finished_at is not null");
  await knex.raw("alter table removals drop key removals_by_end, drop column finished_at");
}
