import type { Knex } from "knex";

import { blamesRows, classify, NotUniqueError } from "./failure.ts";
import { claim, type Fence, type FencedFlush, underLease } from "./fence.ts";
import { LargeWrites } from "./large-writes.ts";
import { nothingWritten, sumOutcomes, type WriteOutcome } from "./outcome.ts";
import { writeRevisions } from "./revisions.ts";
import type { StatementLimit } from "./statement-limit.ts";
import {
  chats,
  inKeyOrder,
  insertRows,
  isNew,
  keyText,
  landedAmong,
  messages,
  type NewRow,
  storedOperationIds,
  type Table,
} from "./tables.ts";

/** Whether a record is as it was accepted, and new: nearly all are. */
function isAsAccepted(row: NewRow): boolean {
  return isNew(row) && row.record.revision === "";
}

/** The error of a write that met a key that is taken, and of which nothing stays; none where it went through. */
async function duplicateIn(write: Promise<unknown>): Promise<unknown> {
  try {
    await write;
    return undefined;
  } catch (error) {
    if (classify(error) !== "duplicate") throw error;
    return error;
  }
}

/** Writes batches to MySQL. A batch of new rows is one statement, but where rows turn out to be there. */
export class Writes {
  readonly #knex: Knex;
  readonly #large: LargeWrites;

  constructor(pool: Knex, limit: StatementLimit) {
    this.#knex = pool;
    this.#large = new LargeWrites(async () => pool.raw("select 1"), limit);
  }

  /** Makes a lease the one under which a partition is written. */
  async claim(fence: Fence): Promise<void> {
    await claim(this.#knex, fence);
  }

  /** Of some chats and messages those that are stored as they are, or as later changes have made them. */
  async landed<Row extends NewRow>(rows: readonly Row[]): Promise<Row[]> {
    const isChat = ({ chatNumber }: NewRow) => chatNumber === undefined;
    return [
      ...(await landedAmong(this.#knex, chats, rows.filter(isChat))),
      ...(await landedAmong(
        this.#knex,
        messages,
        rows.filter((row) => !isChat(row)),
      )),
    ];
  }

  /**
   * Writes chats; when it resolves, each row is committed or accounted for.
   *
   * @throws {FencedOffError} where another lease than the given one was claimed, {NotUniqueError} where a UNIQUE index
   *   that is not Sluice's refuses a row
   */
  async writeChats(rows: readonly NewRow[], flush: FencedFlush): Promise<WriteOutcome> {
    return this.#attempt(chats, rows, flush);
  }

  /** Writes messages, as `writeChats` does chats. */
  async writeMessages(rows: readonly NewRow[], flush: FencedFlush): Promise<WriteOutcome> {
    return this.#attempt(messages, rows, flush);
  }

  /**
   * A record that is refused alone may be there all the same: it was mended and has landed, and an older copy of Redis
   * has brought back what was refused. Servers look at what a row holds before they look whether its key is taken.
   */
  async #attempt(table: Table, rows: readonly NewRow[], flush: FencedFlush): Promise<WriteOutcome> {
    try {
      return await this.#large.attempt(table, rows, () => this.#write(table, rows, flush));
    } catch (error) {
      if (rows.length > 1 || !blamesRows(error)) throw error;
      const [landed] = await landedAmong(this.#knex, table, rows);
      if (!landed) throw error;
      return { ...nothingWritten, alreadyThere: 1 };
    }
  }

  async #write(table: Table, rows: readonly NewRow[], flush: FencedFlush): Promise<WriteOutcome> {
    const asAccepted = rows.filter(isAsAccepted);
    const revised = rows.filter((row) => !isAsAccepted(row));
    const inserted = await this.#insertNew(table, inKeyOrder(asAccepted), flush);
    if (revised.length === 0) return inserted;
    return sumOutcomes(inserted, await this.#revise(table, inKeyOrder(revised), flush));
  }

  /**
   * A plain INSERT of all rows. Where a key is taken, nothing of the statement stays; the rows are then read
   * back, told apart by operation id, and those that are missing inserted. Where none is, the flush is still
   * counted. Never IGNORE or REPLACE: those lose what they do not understand.
   */
  async #insertNew(table: Table, rows: readonly NewRow[], flush: FencedFlush): Promise<WriteOutcome> {
    if (rows.length === 0) return nothingWritten;
    let missing = rows;
    let alreadyThere = 0;
    const conflicts: NewRow[] = [];
    for (let round = 0; ; round += 1) {
      const duplicate = await duplicateIn(
        underLease(this.#knex, flush, (transaction) => insertRows(transaction, table, missing)),
      );
      if (duplicate === undefined) break;
      const stored = await this.#found(table, missing, round, duplicate);
      const rest: NewRow[] = [];
      for (const row of missing) {
        const operationId = stored.get(keyText(table.keyOf(row)));
        if (operationId === undefined) rest.push(row);
        else if (operationId === row.record.operationId) alreadyThere += 1;
        else conflicts.push(row);
      }
      missing = rest;
    }
    return { ...nothingWritten, inserted: missing.length, alreadyThere, conflicts };
  }

  async #revise(table: Table, rows: readonly NewRow[], flush: FencedFlush): Promise<WriteOutcome> {
    let unfound = rows;
    for (let round = 0; ; round += 1) {
      let outcome = nothingWritten;
      const write = underLease(this.#knex, flush, async (transaction) => {
        outcome = await writeRevisions(transaction, table, rows);
      });
      const duplicate = await duplicateIn(write);
      if (duplicate === undefined) return outcome;
      const stored = await this.#found(table, unfound, round, duplicate);
      unfound = unfound.filter((row) => !stored.has(keyText(table.keyOf(row))));
    }
  }

  /**
   * Operation ids of those rows that are there after a write of them met a duplicate, by `keyText`.
   *
   * @throws {NotUniqueError} where none is though they were written again: what is taken is not their key
   */
  async #found(
    table: Table,
    rows: readonly NewRow[],
    round: number,
    duplicate: unknown,
  ): Promise<Map<string, string>> {
    const stored = rows.length === 0 ? new Map() : await storedOperationIds(this.#knex, table, rows);
    if (stored.size === 0 && round > 0) throw new NotUniqueError(duplicate);
    return stored;
  }
}
