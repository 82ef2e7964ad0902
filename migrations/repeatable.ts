import type { Knex } from "knex";

/** What a server says of a table or a column that is there already. */
const isThere = new Set(["ER_TABLE_EXISTS_ERROR", "ER_DUP_FIELDNAME"]);

/**
 * Runs a statement that makes a table or adds columns, or finds that it was run: a process that is killed leaves no note
 * of a statement that the server goes on with, and each is done whole or not at all.
 */
export async function define(knex: Knex, statement: string): Promise<void> {
  try {
    await knex.raw(statement);
  } catch (error) {
    if (!isThere.has((error as { code?: string }).code ?? "")) throw error;
  }
}
