import type { Knex } from "knex";

import { classify } from "./failure.ts";

/** A change of the number of partitions that has begun. */
export interface Repartition {
  readonly from: number;
  readonly to: number;
  /** The epoch that every partition has after it. */
  readonly epoch: string;
}

const number = "partitions";
const change = "repartition";

/** Into how many partitions the data is divided. What is noted here counts, whatever Redis says. */
export class Layout {
  readonly #knex: Knex;

  constructor(pool: Knex) {
    this.#knex = pool;
  }

  /**
   * Notes how many partitions there are, unless it is known; answers how many that is. Data from before this
   * was noted has as many as there are rows of them.
   */
  async agree(partitions: number): Promise<number> {
    const known = await this.#read(number);
    if (known !== undefined) return Number(known);
    const [row]: { last?: number | null }[] = await this.#knex("partitions").max({
      last: "partition_number",
    });
    const found = typeof row?.last === "number" ? row.last + 1 : partitions;
    return Number(await this.#note(number, String(found)));
  }

  /** The change that has begun and not been finished, if there is one. */
  async unfinished(): Promise<Repartition | undefined> {
    const noted = await this.#read(change);
    return noted === undefined ? undefined : parse(noted);
  }

  /** Notes that a change begins, unless one has; answers the one that has. */
  async begin({ from, to, epoch }: Repartition): Promise<Repartition> {
    return parse(await this.#note(change, `${from} ${to} ${epoch}`));
  }

  /** Takes back that a change begins, of which nothing was done. */
  async abandon({ from, to, epoch }: Repartition): Promise<void> {
    await this.#knex("settings")
      .where({ name: change, content: `${from} ${to} ${epoch}` })
      .delete();
  }

  /** The greatest sequence of flushes, and number of losses, of all partitions; 0 where there is none. */
  async greatest(): Promise<{ flushSequence: number; losses: number }> {
    const [row]: { sequence?: number | null; losses?: number | null }[] = await this.#knex("partitions").max({
      sequence: "flush_sequence",
      losses: "losses",
    });
    return { flushSequence: row?.sequence ?? 0, losses: row?.losses ?? 0 };
  }

  /** In one transaction: each partition has the new epoch, and the new number is the one that counts. */
  async finish(
    { to, epoch }: Repartition,
    { flushSequence, losses }: { readonly flushSequence: number; readonly losses: number },
  ): Promise<void> {
    await this.#knex.transaction(async (transaction) => {
      await transaction("partitions").delete();
      const fields = { epoch, flush_sequence: flushSequence, losses, updated_at: new Date() };
      const rows = Array.from({ length: to }, (_, partition) => ({ partition_number: partition, ...fields }));
      await transaction("partitions").insert(rows);
      await transaction("settings")
        .where("name", number)
        .update({ content: String(to) });
      await transaction("settings").where("name", change).delete();
    });
  }

  async #read(name: string): Promise<string | undefined> {
    const row: { content: string } | undefined = await this.#knex("settings")
      .where({ name })
      .first("content");
    return row?.content;
  }

  async #note(name: string, content: string): Promise<string> {
    try {
      await this.#knex("settings").insert({ name, content });
    } catch (error) {
      if (classify(error) !== "duplicate") throw error;
    }
    return (await this.#read(name)) ?? content;
  }
}

function parse(noted: string): Repartition {
  const [from, to, epoch = ""] = noted.split(" ");
  return { from: Number(from), to: Number(to), epoch };
}
