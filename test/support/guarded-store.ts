import { openPool } from "../../src/store/connection.ts";
import { Store } from "../../src/store/store.ts";
import { guardSql } from "./sql-guard.ts";
import type { Workspace } from "./workspace.ts";

/** Opens the store such that a statement which some engine does not know fails, and so its test. */
export function openGuardedStore({ config }: Workspace, use: "requests" | "writing" = "writing"): Store {
  const pool = openPool(config.database, use);
  guardSql(pool);
  return new Store(pool);
}
