import type { Knex } from "knex";

import * as kinds from "../records/fields.ts";
import type { PendingRecord } from "../records/records.ts";

/** A chat or message to be written, and the place it was given. */
export interface NewRow {
  readonly token: string;
  readonly chatNumber?: number;
  readonly number: number;
  /** A revision replaces or removes a row that was there, and never brings it back; any other record is new. */
  readonly origin: "pending" | "revision" | "dead";
  readonly record: PendingRecord;
}

/** Whether a row may be inserted where there is none. */
export function isNew({ origin }: NewRow): boolean {
  return origin === "pending" || origin === "dead";
}

type Key = readonly (string | number)[];

/** How a table's rows are made from records and told apart. */
export interface Table {
  readonly kind: kinds.Kind;
  readonly key: readonly string[];
  readonly columns: readonly string[];
  keyOf(row: NewRow): Key;
  valuesOf(row: NewRow): readonly unknown[];
}

/** The columns that hold what clients have said, and the value of each of a record. */
export const contentColumns = ({ textColumn, fields }: kinds.Kind) => [
  textColumn,
  ...fields.map(({ name }) => name),
];
const keptIn = ({ fields }: kinds.Kind, { record }: NewRow) =>
  fields.map(({ name }) => record.fields[name] ?? null);

const commonColumns = ["operation_id", "created_at", "updated_at"];

export const chats: Table = {
  kind: kinds.chat,
  key: ["application_token", "number"],
  columns: ["application_token", "number", ...contentColumns(kinds.chat), ...commonColumns],
  keyOf: (row) => [row.token, row.number],
  valuesOf: (row) => [
    row.token,
    row.number,
    row.record.text,
    ...keptIn(kinds.chat, row),
    ...commonValues(row),
  ],
};

export const messages: Table = {
  kind: kinds.message,
  key: ["application_token", "chat_number", "number"],
  columns: ["application_token", "chat_number", "number", ...contentColumns(kinds.message), ...commonColumns],
  keyOf: (row) => [row.token, row.chatNumber ?? 0, row.number],
  valuesOf: (row) => [
    ...messages.keyOf(row),
    row.record.text ?? "",
    ...keptIn(kinds.message, row),
    ...commonValues(row),
  ],
};

function commonValues({ record }: NewRow): readonly unknown[] {
  return [record.operationId, new Date(record.createdAtMs), new Date(record.updatedAtMs)];
}

/** The condition that selects one row by its key. */
export function whereKey(table: Table, row: NewRow): Record<string, string | number> {
  const key = table.keyOf(row);
  return Object.fromEntries(table.key.map((column, at) => [column, key[at] ?? ""]));
}

/** A key as a string, for maps. */
export function keyText(key: Key): string {
  return key.join(":");
}

/** The rows in the order of the primary key, in which any two writers lock them and pages fill. */
export function inKeyOrder(rows: readonly NewRow[]): NewRow[] {
  return [...rows].sort(byKey);
}

/** Of two rows of one table; looks at the fields themselves, as it is asked some ten times a row. */
function byKey(a: NewRow, b: NewRow): number {
  if (a.token !== b.token) return a.token < b.token ? -1 : 1;
  return (a.chatNumber ?? 0) - (b.chatNumber ?? 0) || a.number - b.number;
}

/**
 * One multi-row INSERT. All rows are one binding, which the driver writes out and escapes by itself: a
 * placeholder for each value would cost twice the time.
 *
 * @throws MySQL's error; on a server that is not sharded nothing then stays of it
 */
export async function insertRows(knex: Knex, table: Table, rows: readonly NewRow[]): Promise<void> {
  if (rows.length === 0) return;
  const tuples = rows.map((row) => table.valuesOf(row)) as unknown as Knex.RawBinding;
  await knex.raw(`insert into ${table.kind.table} (${table.columns.join(",")}) values ?`, [tuples]);
}

/** The rows that are stored of some records, by `keyText`; of each its key and the columns that are asked for. */
async function storedRows(
  knex: Knex,
  table: Table,
  rows: readonly NewRow[],
  columns: readonly string[],
): Promise<Map<string, Readonly<Record<string, unknown>>>> {
  const keys = rows.map((row) => [...table.keyOf(row)]);
  const stored = (await knex(table.kind.table)
    .select([...table.key, ...columns])
    .whereIn([...table.key], keys)) as Record<string, string | number>[];
  return new Map(stored.map((row) => [keyText(table.key.map((column) => row[column] ?? "")), row]));
}

/** Of some records those that are stored as they are, or as later changes have made them. */
export async function landedAmong<Row extends NewRow>(
  knex: Knex,
  table: Table,
  rows: readonly Row[],
): Promise<Row[]> {
  if (rows.length === 0) return [];
  const stored = await storedRows(knex, table, rows, ["operation_id", "updated_at"]);
  return rows.filter((row) => {
    const { operationId, updatedAtMs } = row.record;
    const found = stored.get(keyText(table.keyOf(row)));
    if (found?.["operation_id"] !== operationId) return false;
    // What was refused as new is there only if it has landed; a refused change, if a later one has.
    return isNew(row) || (found["updated_at"] as Date).getTime() >= updatedAtMs;
  });
}

/** The operation ids of those rows that are stored, by `keyText`. */
export async function storedOperationIds(
  knex: Knex,
  table: Table,
  rows: readonly NewRow[],
): Promise<Map<string, string>> {
  const stored = await storedRows(knex, table, rows, ["operation_id"]);
  return new Map(Array.from(stored, ([key, row]) => [key, String(row["operation_id"])]));
}
