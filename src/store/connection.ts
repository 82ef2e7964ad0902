import knex, { type Knex } from "knex";

import type { Config } from "../config.ts";
import { guardConnection, type RawConnection } from "./guarded-connection.ts";
import { migrationSource } from "./migration-source.ts";
import { StatementLimit } from "./statement-limit.ts";

/**
 * What a pool is for: to answer requests, or those alone that write applications; or to drain and look after the
 * database. A server that takes no writes, for a backup say, keeps every connection busy that wants to write.
 */
type Use = "requests" | "applications" | "writing";

/** How many connections, how long one is waited for, and how long an answer is; then a connection counts as dead. */
const patience = {
  requests: { connections: 7, waitMs: 2000, answerMs: 3000 },
  applications: { connections: 3, waitMs: 2000, answerMs: 3000 },
  writing: { connections: 4, waitMs: 10_000, answerMs: 20_000 },
} as const satisfies Record<Use, object>;

/**
 * How Sluice speaks to MySQL: UTC times with milliseconds, values never taken for SQL, one statement a call.
 * Connections are made when they are needed, so that MySQL may be away when a process starts.
 */
export function knexSettings(
  database: Config["database"],
  use: Use,
  limit = new StatementLimit(),
): Knex.Config {
  const { connections, waitMs, answerMs } = patience[use];
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
      max: connections,
      acquireTimeoutMillis: waitMs,
      createTimeoutMillis: waitMs,
      idleTimeoutMillis: 30_000,
      afterCreate: (connection: RawConnection, done: (error: unknown, connection: RawConnection) => void) => {
        guardConnection(connection, answerMs, limit, done);
      },
    },
    // A database that a newer program has migrated is none that is broken: this one may be rolled back to.
    migrations: { migrationSource, disableMigrationsListValidation: true },
    // What fails is thrown, and logged by who caught it.
    log: { warn: ignore, error: ignore, debug: ignore, deprecate: ignore },
  };
}

const ignore = (): void => undefined;

/** Opens a pool; no connection is made yet. Each that is made says in `limit` what the server takes. */
export function openPool(database: Config["database"], use: Use, limit?: StatementLimit): Knex {
  return knex(knexSettings(database, use, limit));
}
