import type { Knex } from "knex";

import type { Application } from "../records.ts";

/** Writes applications. They are few and are written while the client waits. */
export class Applications {
  readonly #knex: Knex;

  constructor(pool: Knex) {
    this.#knex = pool;
  }

  /** Stores a new application of a partition. @throws MySQL's error, a duplicate token included */
  async create(application: Application, partition: number): Promise<void> {
    // It has lost nothing yet, so its numbers begin without the gaps of losses before it.
    const row: { losses: number } | undefined = await this.#knex("partitions")
      .where("partition_number", partition)
      .first("losses");
    await this.#knex("applications").insert({
      token: application.token,
      name: application.name,
      chats_count: application.chatsCount,
      losses: row?.losses ?? 0,
      created_at: application.createdAt,
      updated_at: application.updatedAt,
    });
  }

  /** Renames an application, if there is such a one. */
  async rename(token: string, name: string, updatedAt: Date): Promise<void> {
    await this.#knex("applications").where({ token }).update({ name, updated_at: updatedAt });
  }

  /**
   * Deletes an application and notes that all beneath it is to be removed, in one transaction. Whether there
   * was such an application.
   */
  async delete(token: string): Promise<boolean> {
    return this.#knex.transaction(async (transaction) => {
      const found: unknown = await transaction("applications").where({ token }).first("token");
      if (found === undefined) return false;
      await transaction("applications").where({ token }).delete();
      const removal = { application_token: token, chat_number: 0, created_at: new Date() };
      await transaction("removals").insert(removal);
      return true;
    });
  }
}
