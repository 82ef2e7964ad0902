import knex, { type Knex } from "knex";

import type { Config } from "../config.ts";
import { migrationSource } from "./migration-source.ts";

/**
 * How Sluice speaks to MySQL: UTC times with milliseconds, values never taken for SQL, one statement a call.
 * Connections are made when they are needed, so that MySQL may be away when a process starts.
 */
export function knexSettings(database: Config["database"], use: "requests" | "writing"): Knex.Config {
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
      // Every row is read back as it was written, whatever the server's own time zone or mode.
      afterCreate: (connection: RawConnection, done: (error: unknown, connection: RawConnection) => void) => {
        limitQueries(connection, answerMs[use]);
        connection.query(sessionSettings, [], (error) => {
          done(error, connection);
        });
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

interface RawConnection {
  query(sql: unknown, values: unknown, callback: QueryCallback): void;
  readonly stream: { destroy(error: Error): void };
}

type QueryCallback = (error: unknown, ...results: unknown[]) => void;

/**
 * Gives up a connection whose server does not answer, where the driver would wait until the kernel does, for
 * a quarter of an hour. The statement fails as it would for a connection that was cut.
 */
function limitQueries(connection: RawConnection, limitMs: number): void {
  const query = connection.query.bind(connection);
  connection.query = (sql, values, callback) => {
    const timer = setTimeout(() => {
      const error = new Error(`no answer from MySQL within ${limitMs} ms`);
      connection.stream.destroy(Object.assign(error, { code: "ETIMEDOUT" }));
    }, limitMs);
    query(sql, values, (...outcome) => {
      clearTimeout(timer);
      if (outcome[0] && endsTransaction(sql)) giveUp(connection, outcome[0]);
      callback(...outcome);
    });
  };
}

function endsTransaction(sql: unknown): boolean {
  const text = typeof sql === "string" ? sql : ((sql as { sql?: string } | null)?.sql ?? "");
  return /^\s*(commit|rollback)\b/i.test(text);
}

/**
 * Closes a connection whose transaction could not be ended: what a server before others holds for it is not known, and
 * may stand in the way of all that comes over the same connection.
 */
function giveUp(connection: RawConnection, cause: unknown): void {
  connection.stream.destroy(new Error("the transaction on this connection could not be ended", { cause }));
}

/**
 * A process that is paused within a transaction holds its locks for no longer than `wait_timeout` seconds; the
 * pool has let go of an idle connection before.
 */
const sessionSettings =
  "SET time_zone = '+00:00', wait_timeout = 60, " +
  "sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO'";

/** Opens a pool; no connection is made yet. */
export function openPool(database: Config["database"], use: "requests" | "writing"): Knex {
  return knex(knexSettings(database, use));
}
