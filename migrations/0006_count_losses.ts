import type { Knex } from "knex";

import { define } from "./repeatable.ts";

/**
 * How often a partition's data was lost, and the sequence of its last change; and for each parent up to which loss its high-water mark lies above the
 * numbers that may have been lost. Chats above `resumed_above` were accepted since.
 */
export async function up(knex: Knex): Promise<void> {
  const losses = "losses bigint unsigned not null default 0";
  await define(
    knex,
    `
    alter table partitions
      add column ${losses},
      add column touched bigint unsigned not null default 0`,
  );
  await define(
    knex,
    `
    alter table applications
      add column ${losses},
      add column resumed_above bigint unsigned not null default 0`,
  );
  await define(knex, `alter table chats add column ${losses}`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw("alter table partitions drop column losses, drop column touched");
  await knex.raw("alter table applications drop column losses, drop column resumed_above");
  await knex.raw("alter table chats drop column losses");
}
