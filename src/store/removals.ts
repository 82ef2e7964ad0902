import type { Knex } from "knex";

import { type FencedFlush, underLease } from "./fence.ts";
import {
  keysOf,
  type RemovalKey,
  removalOfApplication,
  wholeApplication,
  withKeys,
} from "./removal-notes.ts";

/** A deleted chat, or application where there is no chat number, beneath which rows may still lie. */
export interface Removal {
  readonly token: string;
  readonly chatNumber: number | undefined;
  /** Set of a chat that is there again, as Redis was put back to an older copy. Nothing beneath it is removed then. */
  readonly isBack?: true;
}

/**
 * How long a removal is kept after its end: for as long as an `Idempotency-Key` may be repeated, and as much again for
 * clocks that differ. A Redis that is put back to an older copy than that may write beneath what was deleted.
 */
const keptMs = 2 * 24 * 3600 * 1000;
/** Removals that are forgotten when another ends: more than one, so that they do not grow in number. */
const forgottenAtOnce = 100;

/** Removes what lies beneath deleted chats and applications, in batches that hold no lock for long. */
export class Removals {
  readonly #knex: Knex;

  constructor(pool: Knex) {
    this.#knex = pool;
  }

  /** Up to `limit` removals that are not finished, in the order of their tokens, after one. */
  async list(limit: number, after?: Removal): Promise<Removal[]> {
    const query = this.#knex("removals")
      .leftJoin("chats", {
        "chats.application_token": "removals.application_token",
        "chats.number": "removals.chat_number",
      })
      .select("removals.application_token", "removals.chat_number", { back: "chats.number" })
      .whereNull("removals.finished_at");
    if (after) {
      const { application_token: token, chat_number: number } = keyOf(after);
      const isLater =
        "(removals.application_token > ? or (removals.application_token = ? and removals.chat_number > ?))";
      query.whereRaw(isLater, [token, token, number]);
    }
    const order = ["removals.application_token", "removals.chat_number"];
    const rows = (await query.orderBy(order).limit(limit)) as (RemovalKey & { back: number | null })[];
    return rows.map((row) => ({
      token: row.application_token,
      chatNumber: row.chat_number === wholeApplication ? undefined : row.chat_number,
      ...(row.back !== null && { isBack: true as const }),
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
  async step(removal: Removal, maxRows: number, flush: FencedFlush): Promise<boolean> {
    const isDone = await underLease(this.#knex, flush, async (transaction) => {
      if (await removeBeneath(transaction, removal, maxRows)) return false;
      await finish(transaction, removal);
      return true;
    });
    if (isDone) await this.#forgetFinished();
    return isDone;
  }

  async #forgetFinished(): Promise<void> {
    const old = this.#knex("removals").where("finished_at", "<", new Date(Date.now() - keptMs));
    const keys = await keysOf(old, forgottenAtOnce);
    if (keys.length > 0) await withKeys(this.#knex, keys).whereNotNull("finished_at").delete();
  }
}

function keyOf({ token, chatNumber }: Removal): RemovalKey {
  return { application_token: token, chat_number: chatNumber ?? wholeApplication };
}

/** Whether there was anything to remove. */
async function removeBeneath(
  transaction: Knex.Transaction,
  { token, chatNumber, isBack }: Removal,
  maxRows: number,
): Promise<boolean> {
  if (isBack) return false;
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

async function finish(transaction: Knex.Transaction, removal: Removal): Promise<void> {
  await transaction("removals").where(keyOf(removal)).update({ finished_at: new Date() });
}
