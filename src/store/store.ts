import type { Knex } from "knex";

import type { Config } from "../config.ts";
import { Applications } from "./applications.ts";
import { openPool } from "./connection.ts";
import { Counts } from "./counts.ts";
import { Epochs } from "./epochs.ts";
import { Layout } from "./layout.ts";
import { Numbers } from "./numbers.ts";
import { Reads } from "./reads.ts";
import { Removals } from "./removals.ts";
import { isMigrated } from "./schema.ts";
import { Searching } from "./searching.ts";
import { StatementLimit } from "./statement-limit.ts";
import { Writes } from "./writes.ts";

/** The MySQL side of Sluice. */
export class Store {
  readonly reads: Reads;
  readonly numbers: Numbers;
  readonly writes: Writes;
  readonly applications: Applications;
  readonly removals: Removals;
  readonly searching: Searching;
  readonly epochs: Epochs;
  readonly counts: Counts;
  readonly layout: Layout;
  /** How large a statement may be. */
  readonly limit: StatementLimit;
  readonly #knex: Knex;

  constructor(pool: Knex, limit = new StatementLimit()) {
    this.#knex = pool;
    this.limit = limit;
    this.reads = new Reads(pool);
    this.numbers = new Numbers(pool);
    this.writes = new Writes(pool, limit);
    this.applications = new Applications(pool);
    this.removals = new Removals(pool);
    this.searching = new Searching(pool);
    this.epochs = new Epochs(pool);
    this.counts = new Counts(pool);
    this.layout = new Layout(pool);
  }

  /** Resolves when MySQL answers. @throws what MySQL or the way to it says */
  async ping(): Promise<void> {
    await this.#knex.raw("select 1");
  }

  /** Whether the database has all that this program needs. @throws what MySQL or the way to it says */
  async isMigrated(): Promise<boolean> {
    return isMigrated(this.#knex);
  }

  async close(): Promise<void> {
    await this.#knex.destroy();
  }
}

/** Opens the store. MySQL need not be there yet. */
export function openStore(database: Config["database"], use: "requests" | "writing"): Store {
  const limit = new StatementLimit();
  return new Store(openPool(database, use, limit), limit);
}
