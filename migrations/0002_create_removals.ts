import type { Knex } from "knex";

import { define } from "./repeatable.ts";

/**
 * What was deleted and still has rows beneath it: an application (chat_number 0) or a chat. A row leaves when
 * the last of those is gone, so that a removal goes on after a crash.
 */
export async function up(knex: Knex): Promise<void> {
  await define(
    knex,
    `
    create table removals (
      application_token varchar(64) character set ascii collate ascii_bin not null,
      chat_number bigint unsigned not null,
      created_at datetime(3) not null,
      primary key (application_token, chat_number)
    ) engine=InnoDB default character set utf8mb4 collate utf8mb4_unicode_ci`,
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable("removals");
}
