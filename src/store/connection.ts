import knex, { type Knex } from "knex";

import type { Config } from "../config.ts";
import { guardConnection, type RawConnection } from "./guarded-connection.ts";
import { migrationSource } from "./migration-source.ts";
import { StatementLimit } from "./statement-limit.ts";

/**
 * How Sluice speaks to MySQL: UTC times with milliseconds, values never taken for SQL, one statement a call.
 * Connections are made when they are needed, so that MySQL may be away when a process starts.
 */
export function knexSettings(
  database: Config["database"],
  use: "requests" | "writing",
  limit = new StatementLimit(),
): Knex.Config {
  const waitMs = use === "requests" ? 2000 : 10_000;
  return {
    client: "mysql2",
    connection: {
      ...(database.socketPath === undefined
        ? { host: database.host, port: database.port }
        : { socketPath: database.socketPath }),
      user: database.username,
      password: database.password,
      database: database.name,
      charset: "utf8mb4",
      timezone: "Z",
      connectTimeout: waitMs,
      enableKeepAlive: true,
      multipleStatements: false,
      stringifyObjects: true,
      supportBigNumbers: true,
      flags: ["-LOCAL_FILES"],
    },
    pool: {
      min: 0,
      max: use === "requests" ? 10 : 4,
      acquireTimeoutMillis: waitMs,
      createTimeoutMillis: waitMs,
      idleTimeoutMillis: 30_000,
      afterCreate: (connection: RawConnection, done: (error: unknown, connection: RawConnection) => void) => {
        guardConnection(connection, answerMs[use], limit, done);
      },
    },
    // A database that a newer program has migrated is none that is broken: this one may be rolled back to.
    migrations: { migrationSource, disableMigrationsListValidation: true },
    // What fails is thrown, and logged by who caught it.
    log: { warn: ignore, error: ignore, debug: ignore, deprecate: ignore },
  };
}

const ignore = (): void => undefined;

/** How long a statement may go unanswered; then its connection counts as dead. */
const answerMs = { requests: 3000, writing: 20_000 };

/** Opens a pool; no connection is made yet. Each that is made says in `limit` what the server takes. */
export function openPool(
  database: Config["database"],
  use: "requests" | "writing",
  limit?: StatementLimit,
): Knex {
  return knex(knexSettings(database, use, limit));
}
