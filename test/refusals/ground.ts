import knex, { type Knex } from "knex";

import { knexSettings } from "../../src/store/connection.ts";
import { makeMysqlUser } from "../support/least-rights.ts";
import { ofTests } from "../support/sql-guard.ts";
import type { Workspace } from "../support/workspace.ts";
import { clerkRules } from "./redis-refusals.ts";
import { clerk } from "./refusal.ts";

/** Enough to use up those of a server that is told to have few. */
const connections = 30;

/** How a Redis is started that has the user of Sluice, and can be told to sleep. */
export const redisArguments = [
  "--appendfsync",
  "always",
  "--enable-debug-command",
  "yes",
  "--user",
  clerk.name,
  ...clerkRules,
];

/** A pool for whoever administers the database: nothing that it does is given up for taking long. */
export function openAdministration({ config }: Workspace): Knex {
  const settings = ofTests(knexSettings(config.database, "writing"));
  return knex({ ...settings, pool: { min: 0, max: connections, acquireTimeoutMillis: 60_000 } });
}

/** Makes the user of Sluice, with the rights that operators are told to give. */
export async function createClerk(sql: Knex, database: string): Promise<void> {
  await makeMysqlUser(sql, { ...clerk, database });
}

/** What of its environment a process needs to come as that user, through other ports. */
export function clerkEnv(ports: { readonly redis: number; readonly mysql: number }): NodeJS.ProcessEnv {
  return {
    REDIS_URL: `redis://${clerk.name}:${clerk.password}@127.0.0.1:${ports.redis}`,
    DATABASE_PORT: String(ports.mysql),
    DATABASE_USERNAME: clerk.name,
    DATABASE_PASSWORD: clerk.password,
  };
}
