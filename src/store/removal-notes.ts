/** The rows of `removals`: what was deleted, and must be removed beneath. */
import type { Knex } from "knex";

/** `removals.chat_number` of a whole application; chats count from 1. */
export const wholeApplication = 0;

/** Removals that are begun again in one statement. */
const begunAgainAtOnce = 1000;

/** What a removal is known by. */
export interface RemovalKey {
  readonly application_token: string;
  readonly chat_number: number;
}

/** The key of the removal of an application. */
export function removalOfApplication(token: string): RemovalKey {
  return { application_token: token, chat_number: wholeApplication };
}

/** Notes what was deleted, within the transaction that deletes it; nobody else deletes the same meanwhile. */
export async function noteRemoval(transaction: Knex.Transaction, removal: RemovalKey): Promise<void> {
  // Not locked: two deletions would wait for one another.
  const known: unknown = await transaction("removals").where(removal).first("chat_number");
  if (known === undefined) await transaction("removals").insert({ ...removal, created_at: new Date() });
  else await transaction("removals").where(removal).update({ finished_at: null });
}

/**
 * Begins all removals again that were finished, within the transaction that counts a loss: what Redis was put back to
 * may be written beneath what was deleted since.
 */
export async function beginAgain(transaction: Knex.Transaction): Promise<void> {
  for (;;) {
    const keys = await keysOf(transaction("removals").whereNotNull("finished_at"), begunAgainAtOnce);
    if (keys.length === 0) return;
    await withKeys(transaction, keys).update({ finished_at: null });
  }
}

/** Keys of the first of some removals. */
export async function keysOf(removals: Knex.QueryBuilder, limit: number): Promise<RemovalKey[]> {
  return (await removals.select("application_token", "chat_number").limit(limit)) as RemovalKey[];
}

/** Removals that have one of these keys. */
export function withKeys(knex: Knex, keys: readonly RemovalKey[]): Knex.QueryBuilder {
  const values = keys.map((key) => [key.application_token, key.chat_number]);
  return knex("removals").whereIn(["application_token", "chat_number"], values);
}
