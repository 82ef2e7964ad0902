import type { Knex } from "knex";

import { define } from "./repeatable.ts";

/**
 * With each flush: how many records had been accepted in all, and how many were pending. After a loss of Redis this
 * says how much may be gone.
 */
export async function up(knex: Knex): Promise<void> {
  await define(
    knex,
    `
    alter table partitions
      add column accepted bigint unsigned not null default 0,
      add column pending bigint unsigned not null default 0`,
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw("alter table partitions drop column accepted, drop column pending");
}
