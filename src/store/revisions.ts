import type { Knex } from "knex";

import { discardedRevision, fieldsIn } from "../records/records.ts";
import { nothingWritten, type WriteOutcome } from "./outcome.ts";
import { noteRemoval } from "./removal-notes.ts";
import {
  insertRows,
  isNew,
  keyText,
  type NewRow,
  storedOperationIds,
  type Table,
  whereKey,
} from "./tables.ts";

type Fate = "insert" | "update" | "delete" | "supersede" | "conflict";

/** What is to be done with a changed record, given the operation id of the row at its place. Pure. */
function fateOf(row: NewRow, storedId: string | undefined): Fate {
  const { record } = row;
  if (storedId === undefined) return !record.isDeleted && isNew(row) ? "insert" : "supersede";
  if (storedId !== record.operationId) return "conflict";
  // What was thrown away was not there, so it has landed since, and Redis was put back to an older copy.
  if (record.revision === discardedRevision) return "supersede";
  return record.isDeleted ? "delete" : "update";
}

/**
 * Writes records that were changed or deleted, inside a transaction. An older change never overwrites a newer
 * one, and no change brings back a row that was deleted.
 */
export async function writeRevisions(
  transaction: Knex.Transaction,
  table: Table,
  rows: readonly NewRow[],
): Promise<WriteOutcome> {
  const stored = await storedOperationIds(transaction, table, rows);
  const fates = rows.map((row) => fateOf(row, stored.get(keyText(table.keyOf(row)))));
  const withFate = (fate: Fate) => rows.filter((_, at) => fates[at] === fate);
  await insertRows(transaction, table, withFate("insert"));
  for (const row of withFate("update")) await update(transaction, table, row);
  for (const row of withFate("delete"))
    await transaction(table.kind.table).where(whereKey(table, row)).delete();
  const isThere = (row: NewRow) => stored.has(keyText(table.keyOf(row)));
  const isGone = (row: NewRow, at: number) =>
    row.record.isDeleted && (fates[at] === "delete" || !isThere(row));
  for (const row of rows.filter(isGone)) {
    await (table.kind.table === "chats" ? forgetChat(transaction, row) : forgetMessage(transaction, row));
  }
  return {
    ...nothingWritten,
    inserted: withFate("insert").length,
    updated: withFate("update").length,
    deleted: withFate("delete").length,
    superseded: withFate("supersede").length,
    conflicts: withFate("conflict"),
  };
}

/** A flusher that was paused may come with an older change: each change of a record is later than the last. */
async function update(transaction: Knex.Transaction, table: Table, row: NewRow): Promise<void> {
  const { record } = row;
  const updatedAt = new Date(record.updatedAtMs);
  // Of the fields only those that the change names: it may be of an older version, which knows fewer.
  await transaction(table.kind.table)
    .where(whereKey(table, row))
    .where("updated_at", "<", updatedAt)
    .update({
      [table.kind.textColumn]: record.text,
      ...fieldsIn(table.kind, record.fields),
      updated_at: updatedAt,
    });
}

/** The number stays given, also when the counter is reloaded from here; what lies beneath is to be removed. */
async function forgetChat(transaction: Knex.Transaction, { token, number }: NewRow): Promise<void> {
  await transaction("applications")
    .where({ token })
    .update({ last_chat_number: transaction.raw("greatest(last_chat_number, ?)", [number]) });
  await noteRemoval(transaction, { application_token: token, chat_number: number });
}

async function forgetMessage(
  transaction: Knex.Transaction,
  { token, chatNumber = 0, number }: NewRow,
): Promise<void> {
  await transaction("chats")
    .where({ application_token: token, number: chatNumber })
    .update({ last_message_number: transaction.raw("greatest(last_message_number, ?)", [number]) });
}
