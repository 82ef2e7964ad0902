import type { Knex } from "knex";

import { type Fence, underLease } from "./fence.ts";

/** A deleted chat, or application where there is no chat number, beneath which rows may still lie. */
export interface Removal {
  readonly token: string;
  readonly chatNumber: number | undefined;
}

/** `removals.chat_number` of a whole application; chats count from 1. */
const wholeApplication = 0;

/**
 * How long the removal of an application is kept after its end: for as long as an `Idempotency-Key` may be repeated,
 * and as much again for clocks that differ.
 */
const keptMs = 2 * 24 * 3600 * 1000;
/** Removals that are forgotten when another ends: more than one, so that they do not grow in number. */
const forgottenAtOnce = 100;

/** The key of the removal of an application. */
export function removalOfApplication(token: string): { application_token: string; chat_number: number } {
  return { application_token: token, chat_number: wholeApplication };
}

/** Removes what lies beneath deleted chats and applications, in batches that hold no lock for long. */
export class Removals {
  readonly #knex: Knex;

  constructor(pool: Knex) {
    this.#knex = pool;
  }

  /** Up to `limit` removals that are not finished, in the order of their tokens, after one. */
  async list(limit: number, after?: Removal): Promise<Removal[]> {
    const query = this.#knex("removals").select("application_token", "chat_number").whereNull("finished_at");
    if (after) {
      const { application_token: token, chat_number: number } = keyOf(after);
      const isLater = "(application_token > ? or (application_token = ? and chat_number > ?))";
      query.whereRaw(isLater, [token, token, number]);
    }
    const rows = (await query.orderBy(["application_token", "chat_number"]).limit(limit)) as {
      application_token: string;
      chat_number: number;
    }[];
    return rows.map((row) => ({
      token: row.application_token,
      chatNumber: row.chat_number === wholeApplication ? undefined : row.chat_number,
    }));
  }

  /** Whether an application was deleted, and rows may still lie beneath it. */
  async isNoted(token: string): Promise<boolean> {
    const row: object | undefined = await this.#knex("removals")
      .where(removalOfApplication(token))
      .whereNull("finished_at")
      .first(this.#knex.raw("1"));
    return row !== undefined;
  }

  /**
   * Removes up to `maxRows` rows; answers whether nothing is left. It can be repeated at any point. Under a lease, as
   * a removal must not end while another flusher writes beneath it.
   *
   * @throws {FencedOffError} where another lease than the given one was claimed; nothing is removed then
   */
  async step(removal: Removal, maxRows: number, fence?: Fence): Promise<boolean> {
    const uncounted = fence && { ...fence, mark: undefined, confirm: () => undefined };
    const isDone = await underLease(this.#knex, uncounted, async (transaction) => {
      if (await removeBeneath(transaction, removal, maxRows)) return false;
      await finish(transaction, removal);
      return true;
    });
    if (isDone && removal.chatNumber === undefined) await this.#forgetFinished();
    return isDone;
  }

  async #forgetFinished(): Promise<void> {
    const tokens = (await this.#knex("removals")
      .where("finished_at", "<", new Date(Date.now() - keptMs))
      .limit(forgottenAtOnce)
      .pluck("application_token")) as string[];
    if (tokens.length === 0) return;
    await this.#knex("removals")
      .whereIn("application_token", tokens)
      .where("chat_number", wholeApplication)
      .whereNotNull("finished_at")
      .delete();
  }
}

function keyOf({ token, chatNumber }: Removal): ReturnType<typeof removalOfApplication> {
  return { application_token: token, chat_number: chatNumber ?? wholeApplication };
}

/** Whether there was anything to remove. */
async function removeBeneath(
  transaction: Knex.Transaction,
  { token, chatNumber }: Removal,
  maxRows: number,
): Promise<boolean> {
  if (chatNumber !== undefined) {
    const chat = { application_token: token, chat_number: chatNumber };
    return removeSome(transaction, "messages", ["chat_number", "number"], chat, maxRows);
  }
  const all = { application_token: token };
  return (
    (await removeSome(transaction, "messages", ["chat_number", "number"], all, maxRows)) ||
    removeSome(transaction, "chats", ["number"], all, maxRows)
  );
}

/** By keys that were read: the number of rows a DELETE touched is not told alike by every engine. */
async function removeSome(
  transaction: Knex.Transaction,
  table: "chats" | "messages",
  key: readonly string[],
  beneath: Record<string, string | number>,
  maxRows: number,
): Promise<boolean> {
  const rows = (await transaction(table)
    .select(...key)
    .where(beneath)
    .orderBy([...key])
    .limit(maxRows)) as Record<string, number>[];
  if (rows.length === 0) return false;
  const keys = rows.map((row) => key.map((column) => row[column] ?? 0));
  await transaction(table)
    .where(beneath)
    .whereIn([...key], keys)
    .delete();
  return true;
}

/** That of a chat goes: nothing can bring a chat back, as its number is not given again. */
async function finish(transaction: Knex.Transaction, removal: Removal): Promise<void> {
  const row = transaction("removals").where(keyOf(removal));
  if (removal.chatNumber === undefined) await row.update({ finished_at: new Date() });
  else await row.delete();
}
