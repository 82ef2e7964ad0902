import type { Knex } from "knex";

import type { Application } from "../records/records.ts";
import { throughContention } from "./contention.ts";
import { classify } from "./failure.ts";
import { noteRemoval, removalOfApplication } from "./removal-notes.ts";

/** Says that an application is not to be stored, so that its row is rolled back. */
class DeletedSinceError extends Error {}

/** Renames of one application that may come between, before this one counts as made just before the last of them. */
const renameAttempts = 20;

/** Writes applications. They are few and are written while the client waits. */
export class Applications {
  readonly #knex: Knex;

  constructor(pool: Knex) {
    this.#knex = pool;
  }

  /** Stores a new application of a partition. @throws MySQL's error, a duplicate token included */
  async create(application: Application, partition: number): Promise<void> {
    await insert(this.#knex, application, await this.#losses(partition));
  }

  /**
   * Stores an application whose creation may be repeated: afterwards it is there, or was deleted before. The row
   * goes in first, as it then waits for a deletion that is under way; only after that is it known whether there was one.
   *
   * @throws MySQL's error, that of another duplicate than the token's included
   */
  async createOnce(application: Application, partition: number): Promise<void> {
    const losses = await this.#losses(partition);
    const attempt = () =>
      this.#knex.transaction(async (transaction) => {
        await insert(transaction, application, losses);
        // Locked, and so as it is now, not as it was when the transaction began.
        const removal: unknown = await transaction("removals")
          .where(removalOfApplication(application.token))
          .forUpdate()
          .first("application_token");
        if (removal !== undefined) throw new DeletedSinceError();
      });
    try {
      await throughContention(attempt);
    } catch (error) {
      if (error instanceof DeletedSinceError) return;
      // The duplicate may be one of an index that is not Sluice's.
      if (classify(error) !== "duplicate" || !(await this.#wasMade(application.token))) throw error;
    }
  }

  /**
   * Renames an application, if there is such a one. Only what was seen is replaced, and each time by a later time,
   * whatever the clocks say: so a statement that arrives after its client has given up undoes no later rename.
   */
  async rename(token: string, name: string, at: Date): Promise<void> {
    let updatedAtMs: number | undefined;
    for (let attempt = 0; attempt < renameAttempts; attempt += 1) {
      const seen = await this.#name(token);
      if (!seen || (seen.name === name && seen.updated_at.getTime() === updatedAtMs)) return;
      updatedAtMs = Math.max(at.getTime(), seen.updated_at.getTime() + 1);
      await this.#knex("applications")
        .where({ token, updated_at: seen.updated_at })
        .update({ name, updated_at: new Date(updatedAtMs) });
    }
  }

  /**
   * Deletes an application and notes that all beneath it is to be removed, in one transaction. Whether there
   * was such an application: of two calls at a time one is told so.
   */
  async delete(token: string): Promise<boolean> {
    return throughContention(() =>
      this.#knex.transaction(async (transaction) => {
        const found: unknown = await transaction("applications").where({ token }).forUpdate().first("token");
        if (found === undefined) return false;
        await transaction("applications").where({ token }).delete();
        // Who holds the application's row is alone here.
        await noteRemoval(transaction, removalOfApplication(token));
        return true;
      }),
    );
  }

  /** A new application has lost nothing yet: its numbers begin without the gaps of the losses before it. */
  async #losses(partition: number): Promise<number> {
    const row: { losses: number } | undefined = await this.#knex("partitions")
      .where("partition_number", partition)
      .first("losses");
    return row?.losses ?? 0;
  }

  /** Whether an application is there, or was deleted: asked in this order, as one transaction takes the row and notes that. */
  async #wasMade(token: string): Promise<boolean> {
    if (await this.#name(token)) return true;
    const removal: unknown = await this.#knex("removals")
      .where(removalOfApplication(token))
      .first("created_at");
    return removal !== undefined;
  }

  async #name(token: string): Promise<{ name: string; updated_at: Date } | undefined> {
    return this.#knex("applications").where({ token }).first("name", "updated_at");
  }
}

async function insert(knex: Knex, application: Application, losses: number): Promise<void> {
  await knex("applications").insert({
    token: application.token,
    name: application.name,
    chats_count: application.chatsCount,
    losses,
    created_at: application.createdAt,
    updated_at: application.updatedAt,
  });
}
