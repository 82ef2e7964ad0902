import type { Knex } from "knex";

import { define } from "./repeatable.ts";

/** What all processes must agree on, by name: how many partitions the data is divided into. */
export async function up(knex: Knex): Promise<void> {
  await define(
    knex,
    `
    create table settings (
      name varchar(64) character set ascii collate ascii_bin not null,
      content varchar(255) character set ascii collate ascii_bin not null,
      primary key (name)
    ) engine=InnoDB default character set utf8mb4 collate utf8mb4_unicode_ci`,
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable("settings");
}
