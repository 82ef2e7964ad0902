import type { Knex } from "knex";

import { chat, type Kind, message } from "../records/fields.ts";
import {
  type Application,
  type Chat,
  fieldsIn,
  type Message,
  type PendingRecord,
} from "../records/records.ts";
import { contentColumns } from "./tables.ts";
import { messagesOfChats, ofApplications } from "./with-parents.ts";

/** A slice of a list, ordered by number: `limit` records beyond `cursor`, or from the start. */
export interface Slice {
  readonly order: "asc" | "desc";
  readonly cursor: number | undefined;
  readonly limit: number;
  /** Numbers to pass over: records that are deleted and still have their row. */
  readonly except: readonly number[];
}

/** A rank among stored records, counted from 0 in the order asked for. */
export interface Rank {
  readonly order: "asc" | "desc";
  readonly rank: number;
  /** Only records below this number count. */
  readonly end: number;
  readonly except: readonly number[];
  /** Numbers that count as well though they may have no row: records that MySQL refused. */
  readonly also: readonly number[];
}

interface ApplicationRow {
  token: string;
  name: string;
  chats_count: number;
  created_at: Date;
  updated_at: Date;
}

interface ChatRow extends Readonly<Record<string, unknown>> {
  number: number;
  title: string | null;
  messages_count: number;
  created_at: Date;
  updated_at: Date;
}

interface MessageRow extends Readonly<Record<string, unknown>> {
  number: number;
  body: string;
  created_at: Date;
  updated_at: Date;
}

const applicationColumns = ["token", "name", "chats_count", "created_at", "updated_at"];

/** Reads the records that MySQL has. What is still pending is not among them. */
export class Reads {
  readonly #knex: Knex;
  readonly chats: NumberedReads<Chat, [token: string]>;
  readonly messages: NumberedReads<Message, [token: string, chatNumber: number]>;

  constructor(pool: Knex) {
    this.#knex = pool;
    this.chats = new NumberedReads({
      knex: pool,
      kind: chat,
      within: (token) => ofApplications(pool("chats"), "chats").where("chats.application_token", token),
      columns: ["messages_count"],
      toRecord: (row) => toChat(row as ChatRow),
    });
    this.messages = new NumberedReads({
      knex: pool,
      kind: message,
      within: (token, chatNumber) =>
        messagesOfChats(pool).where({
          "messages.application_token": token,
          "messages.chat_number": chatNumber,
        }),
      columns: [],
      toRecord: (row) => toMessage(row as MessageRow),
    });
  }

  async application(token: string): Promise<Application | undefined> {
    const row: ApplicationRow | undefined = await this.#knex("applications")
      .where({ token })
      .first(applicationColumns);
    return row && toApplication(row);
  }

  /** Applications by age, `skip` passed over. */
  async applications(order: "asc" | "desc", skip: number, limit: number): Promise<Application[]> {
    const rows = (await this.#knex("applications")
      .select(applicationColumns)
      .orderBy([
        { column: "created_at", order },
        { column: "token", order },
      ])
      .limit(limit)
      .offset(skip)) as ApplicationRow[];
    return rows.map(toApplication);
  }
}

interface NumberedTable<T, Parent extends readonly unknown[]> {
  readonly knex: Knex;
  readonly kind: Kind;
  /** Selects the records of one parent that exists. */
  readonly within: (...parent: Parent) => Knex.QueryBuilder;
  /** Beside those that every kind has. */
  readonly columns: readonly string[];
  readonly toRecord: (row: unknown) => T;
}

/** Reads the numbered records of one parent: an application's chats, a chat's messages. */
export class NumberedReads<T, Parent extends readonly unknown[]> {
  readonly #table: NumberedTable<T, Parent>;
  readonly #columns: readonly string[];

  constructor(table: NumberedTable<T, Parent>) {
    this.#table = table;
    const own = [...contentColumns(table.kind), ...table.columns];
    this.#columns = ["number", ...own, "created_at", "updated_at"].map(this.#column);
  }

  async find(parent: Parent, number: number): Promise<T | undefined> {
    const { within, toRecord } = this.#table;
    const row: unknown = await within(...parent)
      .where(this.#column("number"), number)
      .first(...this.#columns);
    return row === undefined ? undefined : toRecord(row);
  }

  /** Those of some records that there are, in no order. */
  async among(parent: Parent, numbers: readonly number[]): Promise<T[]> {
    if (numbers.length === 0) return [];
    const { within, toRecord } = this.#table;
    const query = within(...parent)
      .select(...this.#columns)
      .whereIn(this.#column("number"), numbers);
    return ((await query) as unknown[]).map(toRecord);
  }

  /** A record in the form in which a change of it crosses the buffer. */
  async findForChange(parent: Parent, number: number): Promise<PendingRecord | undefined> {
    const { within, kind } = this.#table;
    const row: ChangeableRow | undefined = await within(...parent)
      .where(this.#column("number"), number)
      .first(...this.#columns, this.#column("operation_id"));
    return (
      row && {
        operationId: row.operation_id,
        revision: "",
        createdAtMs: row.created_at.getTime(),
        updatedAtMs: row.updated_at.getTime(),
        text: row[kind.textColumn] ?? null,
        fields: fieldsIn(kind, row),
        isDeleted: false,
      }
    );
  }

  /** Costs the same however deep the cursor lies. */
  async slice(parent: Parent, { order, cursor, limit, except }: Slice): Promise<T[]> {
    const { within, toRecord } = this.#table;
    const query = within(...parent)
      .select(...this.#columns)
      .whereNotIn(this.#column("number"), except)
      .orderBy(this.#column("number"), order)
      .limit(limit);
    if (cursor !== undefined) void query.where(this.#column("number"), order === "asc" ? ">" : "<", cursor);
    return ((await query) as unknown[]).map(toRecord);
  }

  /**
   * How many records have a number from `first` up to, not with, `end`. Without the LIMIT 1 of `first()`: with it MariaDB
   * 11.8 makes 0 of a count that is ended in its midst.
   */
  async count(parent: Parent, first: number, end: number, except: readonly number[]): Promise<number> {
    const counting = this.#table
      .within(...parent)
      .where(this.#column("number"), ">=", first)
      .where(this.#column("number"), "<", end)
      .whereNotIn(this.#column("number"), except)
      .count({ count: "*" });
    const [row] = (await counting) as { count?: number }[];
    return row?.count ?? 0;
  }

  /** The number at a rank, if there are as many. */
  async numberAt(parent: Parent, { order, rank, end, except, also }: Rank): Promise<number | undefined> {
    const stored = this.#table
      .within(...parent)
      .select(this.#column("number"))
      .where(this.#column("number"), "<", end)
      .whereNotIn(this.#column("number"), except);
    const counted = also.filter((number) => number < end);
    const query = counted.length === 0 ? stored : this.#union(stored, counted).select("number");
    const row = (await query.orderBy("number", order).offset(rank).first()) as
      { number: number | string } | undefined;
    // Beside a number that has no row, MariaDB's union makes a decimal of it, and the driver a string.
    return row && Number(row.number);
  }

  /** The parents have columns of the same names. */
  readonly #column = (name: string): string => `${this.#table.kind.table}.${name}`;

  /** Numbers with rows and numbers without, each once. */
  #union(stored: Knex.QueryBuilder, numbers: readonly number[]): Knex.QueryBuilder {
    const { knex } = this.#table;
    const all = stored.union(numbers.map((number) => knex.select(knex.raw("? as number", [number]))));
    return knex.from(all.as("numbers"));
  }
}

interface ChangeableRow extends Readonly<Record<string, unknown>> {
  readonly operation_id: string;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly title?: string | null;
  readonly body?: string;
}

function toApplication(row: ApplicationRow): Application {
  return {
    token: row.token,
    name: row.name,
    chatsCount: row.chats_count,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function toChat(row: ChatRow): Chat {
  return {
    number: row.number,
    title: row.title,
    fields: fieldsIn(chat, row),
    messagesCount: row.messages_count,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function toMessage(row: MessageRow): Message {
  return {
    number: row.number,
    body: row.body,
    fields: fieldsIn(message, row),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
