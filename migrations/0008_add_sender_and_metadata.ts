import type { Knex } from "knex";

import { define } from "./repeatable.ts";

/** Who a message is from, and what else its application keeps with it: JSON, kept as the text that was sent. */
export async function up(knex: Knex): Promise<void> {
  await define(
    knex,
    "alter table messages add column sender varchar(255) null, add column metadata text null",
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw("alter table messages drop column sender, drop column metadata");
}
