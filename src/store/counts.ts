import type { Knex } from "knex";

import { throughContention } from "./contention.ts";

/** Whose records are counted: an application's chats, or a chat's messages. */
export interface Counted {
  readonly token: string;
  readonly chatNumber?: number;
}

interface Kind {
  /** What is counted. */
  readonly children: "chats" | "messages";
  /** Where the count is stored, and in which columns. */
  readonly table: "applications" | "chats";
  readonly column: "chats_count" | "messages_count";
  readonly key: readonly string[];
  readonly valuesOf: (parent: Counted) => readonly (string | number)[];
}

const ofApplications: Kind = {
  children: "chats",
  table: "applications",
  column: "chats_count",
  key: ["token"],
  valuesOf: ({ token }) => [token],
};

const ofChats: Kind = {
  children: "messages",
  table: "chats",
  column: "messages_count",
  key: ["application_token", "number"],
  valuesOf: ({ token, chatNumber = 0 }) => [token, chatNumber],
};

/** Parents of one statement; rows that such a statement reads of each at most, and one for a large parent. */
export const parentsAtOnce = 100;
const rowsOfEach = 10_000;
const rowsAtOnce = 100_000;

/**
 * Counts rows and stores the counts. No statement reads more than some hundred thousand rows, however large
 * a parent is, and none holds a lock but on the rows of the parents it updates.
 */
export class Counts {
  readonly #knex: Knex;

  constructor(pool: Knex) {
    this.#knex = pool;
  }

  /**
   * Stores how many rows each parent has, as of some moment during the call: up to `parentsAtOnce` of them.
   * A parent that is gone is passed over.
   *
   * @throws the signal's reason where it aborts, or MySQL's error
   */
  async recount(parents: readonly Counted[], signal: AbortSignal): Promise<void> {
    for (const kind of [ofApplications, ofChats]) {
      const mine = parents.filter(
        ({ chatNumber }) => (chatNumber === undefined) === (kind === ofApplications),
      );
      if (mine.length === 0) continue;
      const sorted = mine.sort((a, b) => compare(kind.valuesOf(a), kind.valuesOf(b)));
      await this.#store(kind, sorted, await this.#count(kind, sorted, signal));
    }
  }

  /** How many applications there are. */
  async applications(): Promise<number> {
    const [row] = await this.#knex("applications").count({ total: "*" });
    return Number(row?.total ?? 0);
  }

  /** Up to `limit` applications in the order of their tokens, after one. */
  async applicationsAfter(token: string, limit: number): Promise<string[]> {
    return this.#knex("applications").where("token", ">", token).orderBy("token").limit(limit).pluck("token");
  }

  /** The numbers of up to `limit` chats of an application, after one. */
  async chatsAfter(token: string, number: number, limit: number): Promise<number[]> {
    return this.#knex("chats")
      .where("application_token", token)
      .where("number", ">", number)
      .orderBy("number")
      .limit(limit)
      .pluck("number");
  }

  async #count(kind: Kind, parents: readonly Counted[], signal: AbortSignal): Promise<number[]> {
    const some = `select ? as place, count(*) as total from (select 1 as one from ${kind.children}
      where ${under(kind)} limit ${rowsOfEach}) as some`;
    const values = parents.flatMap((parent, place) => [place, ...kind.valuesOf(parent)]);
    const [rows] = (await this.#knex.raw(parents.map(() => some).join(" union all "), values)) as [
      { place: number; total: number }[],
    ];
    const totals = new Map(rows.map(({ place, total }) => [place, total]));
    const counts: number[] = [];
    for (const [place, parent] of parents.entries()) {
      const total = totals.get(place) ?? 0;
      counts.push(total < rowsOfEach ? total : await this.#countLarge(kind, parent, signal));
    }
    return counts;
  }

  /** Counts in steps, each from the row where the last one ended. */
  async #countLarge(kind: Kind, parent: Counted, signal: AbortSignal): Promise<number> {
    let [count, last] = [0, 0];
    for (;;) {
      signal.throwIfAborted();
      const [[step]] = (await this.#knex.raw(
        `select count(*) as total, max(number) as last from (select number from ${kind.children}
         where ${under(kind)} and number > ? order by number limit ${rowsAtOnce}) as some`,
        [...kind.valuesOf(parent), last],
      )) as [[{ total: number; last: number | null }?]];
      count += step?.total ?? 0;
      last = step?.last ?? last;
      if ((step?.total ?? 0) < rowsAtOnce) return count;
    }
  }

  async #store(kind: Kind, parents: readonly Counted[], counts: readonly number[]): Promise<void> {
    const is = kind.key.map((column) => `${column} = ?`).join(" and ");
    const cases = parents.map(() => `when ${is} then ?`).join(" ");
    const caseValues = parents.flatMap((parent, at) => [...kind.valuesOf(parent), counts[at] ?? 0]);
    const update = async () =>
      this.#knex(kind.table)
        .whereIn(
          [...kind.key],
          parents.map((parent) => [...kind.valuesOf(parent)]),
        )
        .update({ [kind.column]: this.#knex.raw(`case ${cases} else ${kind.column} end`, caseValues) });
    // A flush may hold the same rows, in the order in which they are locked here; it does not for long.
    await throughContention(update);
  }
}

/** The condition that selects a parent's children. */
function under(kind: Kind): string {
  return kind === ofApplications ? "application_token = ?" : "application_token = ? and chat_number = ?";
}

function compare(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (const [at, left] of a.entries()) {
    const right = b[at] ?? "";
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}
