/**
 * Rows beneath a deleted application or chat are removed later than it, and nobody sees them meanwhile: what is read
 * is joined with what it belongs to. Never by a subquery: where MariaDB (10.11, 11.8) ends a statement in its midst, by
 * KILL QUERY or max_statement_time, it may take what it knows of a subquery for the answer, and say that there are no
 * rows. A join is then the error that it must be.
 */
import type { Knex } from "knex";

/** The rows of chats or messages whose application is there. */
export function ofApplications(rows: Knex.QueryBuilder, table: "chats" | "messages"): Knex.QueryBuilder {
  return rows.join("applications", "applications.token", `${table}.application_token`);
}

/** The messages whose chat and application are there. */
export function messagesOfChats(knex: Knex): Knex.QueryBuilder {
  const chat = {
    "chats.application_token": "messages.application_token",
    "chats.number": "messages.chat_number",
  };
  return ofApplications(knex("messages").join("chats", chat), "messages");
}
