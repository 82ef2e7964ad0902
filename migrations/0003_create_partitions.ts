import type { Knex } from "knex";

import { define } from "./repeatable.ts";

/**
 * What Redis must at least know, for each partition of the buffer: a Redis of another epoch, or of a lower
 * flush sequence, has lost data or was put back to an older copy. And the lease under which the partition is
 * written now: a write under another is rolled back.
 */
export async function up(knex: Knex): Promise<void> {
  await define(
    knex,
    `
    create table partitions (
      partition_number int unsigned not null,
      epoch varchar(36) character set ascii collate ascii_bin not null,
      flush_sequence bigint unsigned not null,
      lease varchar(191) character set ascii collate ascii_bin not null default '',
      updated_at datetime(3) not null,
      primary key (partition_number)
    ) engine=InnoDB default character set utf8mb4 collate utf8mb4_unicode_ci`,
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable("partitions");
}
