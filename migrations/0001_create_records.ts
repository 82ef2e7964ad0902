import type { Knex } from "knex";

import { define } from "./repeatable.ts";

/** Tokens and operation ids are compared byte by byte. */
const asciiBin = "character set ascii collate ascii_bin not null";

const tableOptions = "engine=InnoDB default character set utf8mb4 collate utf8mb4_unicode_ci";

/**
 * Applications, chats and messages. One unique key a table, each beginning with the application's token:
 * that is the shard key of a sharded engine, and the clustered order in which a chat is read.
 */
export async function up(knex: Knex): Promise<void> {
  await define(
    knex,
    `
    create table applications (
      token varchar(64) ${asciiBin},
      name varchar(255) not null,
      chats_count bigint unsigned not null default 0,
      last_chat_number bigint unsigned not null default 0,
      created_at datetime(3) not null,
      updated_at datetime(3) not null,
      primary key (token),
      key applications_by_age (created_at, token)
    ) ${tableOptions}`,
  );
  await define(
    knex,
    `
    create table chats (
      application_token varchar(64) ${asciiBin},
      number bigint unsigned not null,
      title varchar(255) null,
      messages_count bigint unsigned not null default 0,
      last_message_number bigint unsigned not null default 0,
      operation_id char(16) ${asciiBin},
      created_at datetime(3) not null,
      updated_at datetime(3) not null,
      primary key (application_token, number)
    ) ${tableOptions}`,
  );
  await define(
    knex,
    `
    create table messages (
      application_token varchar(64) ${asciiBin},
      chat_number bigint unsigned not null,
      number bigint unsigned not null,
      body mediumtext not null,
      operation_id char(16) ${asciiBin},
      created_at datetime(3) not null,
      updated_at datetime(3) not null,
      primary key (application_token, chat_number, number)
    ) ${tableOptions}`,
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable("messages");
  await knex.schema.dropTable("chats");
  await knex.schema.dropTable("applications");
}
