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
  readonly #pools: readonly [everything: Knex, applications: Knex];

  /** The pools may be one. Of two, those who write applications wait in the second, and keep no reader waiting. */
  constructor(pool: Knex, limit = new StatementLimit(), ofApplications = pool) {
    this.#pools = [pool, ofApplications];
    this.limit = limit;
    this.reads = new Reads(pool);
    this.numbers = new Numbers(pool);
    this.writes = new Writes(pool, limit);
    this.applications = new Applications(ofApplications);
    this.removals = new Removals(pool);
    this.searching = new Searching(pool);
    this.epochs = new Epochs(pool);
    this.counts = new Counts(pool);
    this.layout = new Layout(pool);
  }

  /** Resolves when MySQL answers. @throws what MySQL or the way to it says */
  async ping(): Promise<void> {
    await this.#pools[0].raw("select 1");
  }

  /** Whether the database has all that this program needs. @throws what MySQL or the way to it says */
  async isMigrated(): Promise<boolean> {
    return isMigrated(this.#pools[0]);
  }

  async close(): Promise<void> {
    await Promise.all([...new Set(this.#pools)].map((pool) => pool.destroy()));
  }
}

/** Opens the store. MySQL need not be there yet. */
export function openStore(database: Config["database"], use: "requests" | "writing"): Store {
  const limit = new StatementLimit();
  const pools = [openPool(database, use, limit), openPool(database, "applications", limit)] as const;
  return new Store(pools[0], limit, pools[1]);
}
