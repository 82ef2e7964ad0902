import type { Knex } from "knex";

import type { KnownNumber } from "../numbering.ts";

/** Who numbers a record, as in the tables: an application its chats, a chat its messages. */
interface Parent {
  readonly token: string;
  readonly chatNumber?: number;
}

interface ApplicationRow {
  readonly mark: number;
  readonly losses: number;
  readonly resumed_above: number;
}

interface ChatRow {
  readonly mark: number;
  readonly losses: number;
}

/** What MySQL knows of the numbers that were given: the greatest that are stored, and high-water marks. */
export class Numbers {
  readonly #knex: Knex;

  constructor(pool: Knex) {
    this.#knex = pool;
  }

  /**
   * The greatest number that a parent's records have or had, or nothing where MySQL has no such parent. The newest row
   * is read before the mark: its deletion raises the mark in the same transaction, so one of them has it. In the other
   * order a deletion in between would be seen in neither.
   */
  async under({ token, chatNumber }: Parent): Promise<KnownNumber | undefined> {
    return chatNumber === undefined ? this.#ofChats(token) : this.#ofMessages(token, chatNumber);
  }

  /**
   * Raises a parent's mark, and notes that it lies above what so many losses may have taken. Neither ever falls, in
   * whichever order it is called by whomever.
   */
  async raise({ token, chatNumber }: Parent, above: number, losses: number): Promise<void> {
    const greatest = (column: string, value: number) => this.#knex.raw("greatest(??, ?)", [column, value]);
    if (chatNumber === undefined) {
      await this.#knex("applications")
        .where({ token })
        .update({
          last_chat_number: greatest("last_chat_number", above),
          resumed_above: greatest("resumed_above", above),
          losses: greatest("losses", losses),
        });
    } else {
      await this.#knex("chats")
        .where({ application_token: token, number: chatNumber })
        .update({
          last_message_number: greatest("last_message_number", above),
          losses: greatest("losses", losses),
        });
    }
  }

  async #ofChats(token: string): Promise<KnownNumber | undefined> {
    const newest = await this.#newest("chats", { application_token: token });
    const application = await this.#application(token);
    return application && { greatest: Math.max(newest, application.mark), losses: application.losses };
  }

  async #ofMessages(token: string, chatNumber: number): Promise<KnownNumber | undefined> {
    const newest = await this.#newest("messages", { application_token: token, chat_number: chatNumber });
    const chat: ChatRow | undefined = await this.#knex("chats")
      .where({ application_token: token, number: chatNumber })
      .first("losses", { mark: "last_message_number" });
    const application = await this.#application(token);
    if (!chat || !application) return undefined;
    // A chat that was accepted after the last loss has lost no number in it.
    const isSince = chatNumber > application.resumed_above;
    const losses = isSince ? Math.max(chat.losses, application.losses) : chat.losses;
    return { greatest: Math.max(newest, chat.mark), losses };
  }

  async #application(token: string): Promise<ApplicationRow | undefined> {
    const row: ApplicationRow | undefined = await this.#knex("applications")
      .where({ token })
      .first("losses", "resumed_above", { mark: "last_chat_number" });
    return row;
  }

  async #newest(table: "chats" | "messages", parent: Record<string, string | number>): Promise<number> {
    const row: { number: number } | undefined = await this.#knex(table)
      .where(parent)
      .orderBy("number", "desc")
      .first("number");
    return row?.number ?? 0;
  }
}
