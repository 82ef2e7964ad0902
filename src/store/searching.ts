import type { Knex } from "knex";

import { messagesOfChats } from "./with-parents.ts";

/** A message's place among all. */
export interface MessageKey {
  readonly token: string;
  readonly chatNumber: number;
  readonly number: number;
}

export interface MessageText extends MessageKey {
  readonly body: string;
}

/** The messages of one chat above a number that may hold all of some terms. */
export interface CandidateRequest {
  readonly token: string;
  readonly chatNumber: number;
  readonly after: number;
  /** Folded: lower case, no accents. */
  readonly terms: readonly string[];
  readonly limit: number;
}

/** Beyond which message of an application a page begins. */
export interface Position {
  readonly chatNumber: number;
  readonly number: number;
}

interface Row {
  application_token: string;
  chat_number: number;
  number: number;
  body: string;
}

const place = ["messages.application_token", "messages.chat_number", "messages.number"] as const;
const columns = [...place, "messages.body"] as const;

/**
 * Reads the texts that search works on. Messages of deleted chats and applications are none, whether their
 * rows still lie there or not.
 */
export class Searching {
  readonly #knex: Knex;

  constructor(pool: Knex) {
    this.#knex = pool;
  }

  /**
   * At most `limit` messages by number. Some hold no term, but none that holds all of them is left out:
   * on ASCII alone folding is what a case-insensitive LIKE does; all other bodies are candidates.
   */
  async candidates(request: CandidateRequest): Promise<{ number: number; body: string }[]> {
    const { token, chatNumber, after, terms, limit } = request;
    const mayMatch = (query: Knex.QueryBuilder) => {
      void query.whereRaw("length(body) <> char_length(body)");
      if (terms.every(isAscii)) {
        void query.orWhere((plain) => {
          for (const term of terms) void plain.where("body", "like", `%${escapeLike(term)}%`);
        });
      }
    };
    return (await messagesOfChats(this.#knex)
      .select("messages.number", "messages.body")
      .where({ "messages.application_token": token, "messages.chat_number": chatNumber })
      .where("messages.number", ">", after)
      .where((query) => {
        mayMatch(query);
      })
      .orderBy("messages.number")
      .limit(limit)) as { number: number; body: string }[];
  }

  /** Those of some messages that there are, in no order. */
  async find(keys: readonly MessageKey[]): Promise<MessageText[]> {
    if (keys.length === 0) return [];
    const values = keys.map(({ token, chatNumber, number }) => [token, chatNumber, number]);
    const rows = (await messagesOfChats(this.#knex)
      .select(...columns)
      .whereIn([...place], values)) as Row[];
    return rows.map(toText);
  }

  /** At most `limit` messages of an application beyond a position, by chat and number. */
  async page(token: string, after: Position, limit: number): Promise<MessageText[]> {
    const { chatNumber, number } = after;
    const rows = (await messagesOfChats(this.#knex)
      .select(...columns)
      .where("messages.application_token", token)
      .where((query) => {
        void query.where("messages.chat_number", ">", chatNumber).orWhere((same) => {
          void same.where("messages.chat_number", chatNumber).where("messages.number", ">", number);
        });
      })
      .orderBy(["messages.chat_number", "messages.number"])
      .limit(limit)) as Row[];
    return rows.map(toText);
  }

  /** At most `limit` applications' tokens above one, in the order of their bytes. */
  async tokens(after: string, limit: number): Promise<string[]> {
    const rows = (await this.#knex("applications")
      .select("token")
      .where("token", ">", after)
      .orderBy("token")
      .limit(limit)) as { token: string }[];
    return rows.map(({ token }) => token);
  }

  async hasApplication(token: string): Promise<boolean> {
    const row: unknown = await this.#knex("applications").where({ token }).first("token");
    return row !== undefined;
  }

  /** About how many messages there are; at once, however many. */
  async estimateMessages(): Promise<number> {
    const row: { rows: number | null } | undefined = await this.#knex("information_schema.tables")
      .whereRaw("table_schema = database()")
      .where("table_name", "messages")
      .first({ rows: "table_rows" });
    return row?.rows ?? 0;
  }
}

function toText(row: Row): MessageText {
  return { token: row.application_token, chatNumber: row.chat_number, number: row.number, body: row.body };
}

// eslint-disable-next-line no-control-regex -- all of ASCII, its control characters included
const isAscii = (text: string) => /^[\x00-\x7F]*$/.test(text);

/** Every character of a term stands for itself. */
function escapeLike(term: string): string {
  return term.replace(/[\\%_]/g, "\\$&");
}
