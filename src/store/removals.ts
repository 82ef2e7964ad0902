import type { Knex } from "knex";

/** A deleted chat, or application where there is no chat number, beneath which rows may still lie. */
export interface Removal {
  readonly token: string;
  readonly chatNumber: number | undefined;
}

/** `removals.chat_number` of a whole application; chats count from 1. */
const wholeApplication = 0;

/** Removes what lies beneath deleted chats and applications, in batches that hold no lock for long. */
export class Removals {
  readonly #knex: Knex;

  constructor(pool: Knex) {
    this.#knex = pool;
  }

  /** Removals that are not finished, oldest token first. */
  async list(limit: number): Promise<Removal[]> {
    const rows = (await this.#knex("removals")
      .select("application_token", "chat_number")
      .orderBy(["application_token", "chat_number"])
      .limit(limit)) as { application_token: string; chat_number: number }[];
    return rows.map((row) => ({
      token: row.application_token,
      chatNumber: row.chat_number === wholeApplication ? undefined : row.chat_number,
    }));
  }

  /** Whether an application was deleted, and rows may still lie beneath it. */
  async isNoted(token: string): Promise<boolean> {
    const row: object | undefined = await this.#knex("removals")
      .where({ application_token: token, chat_number: wholeApplication })
      .first(this.#knex.raw("1"));
    return row !== undefined;
  }

  /** Removes up to `maxRows` rows; answers whether nothing is left. It can be repeated at any point. */
  async step({ token, chatNumber }: Removal, maxRows: number): Promise<boolean> {
    const beneath =
      chatNumber === undefined
        ? { application_token: token }
        : { application_token: token, chat_number: chatNumber };
    if (await this.#removeSome("messages", ["chat_number", "number"], beneath, maxRows)) return false;
    if (chatNumber === undefined) {
      if (await this.#removeSome("chats", ["number"], beneath, maxRows)) return false;
    }
    await this.#knex("removals")
      .where({ application_token: token, chat_number: chatNumber ?? wholeApplication })
      .delete();
    return true;
  }

  /** By keys that were read: the number of rows a DELETE touched is not told alike by every engine. */
  async #removeSome(
    table: "chats" | "messages",
    key: readonly string[],
    beneath: Record<string, string | number>,
    maxRows: number,
  ): Promise<boolean> {
    const rows = (await this.#knex(table)
      .select(...key)
      .where(beneath)
      .orderBy([...key])
      .limit(maxRows)) as Record<string, number>[];
    if (rows.length === 0) return false;
    const keys = rows.map((row) => key.map((column) => row[column] ?? 0));
    await this.#knex(table)
      .where(beneath)
      .whereIn([...key], keys)
      .delete();
    return true;
  }
}
