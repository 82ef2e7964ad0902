import { mayExceed, type StatementLimit, StatementTooLargeError } from "./statement-limit.ts";

/** What is used here of the driver's connection. */
export interface RawConnection {
  query(sql: unknown, values: unknown, callback: QueryCallback): void;
  readonly stream: { destroy(error: Error): void };
}

type QueryCallback = (error: unknown, ...results: unknown[]) => void;

/**
 * A process that is paused within a transaction holds its locks for no longer than `wait_timeout` seconds; the
 * pool has let go of an idle connection before.
 */
const sessionSettings =
  "SET time_zone = '+00:00', wait_timeout = 60, " +
  "sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO'";

/** Bytes that the protocol adds to a statement, and to spare. */
const frameBytes = 64;

/**
 * Makes a new connection one that every row is read back from as it was written, whatever the server's own time zone
 * or mode; that is given up where the server does not answer; and that sends nothing the server does not take.
 */
export function guardConnection(
  connection: RawConnection,
  answerMs: number,
  limit: StatementLimit,
  done: (error: unknown, connection: RawConnection) => void,
): void {
  limitQueries(connection, answerMs);
  connection.query(sessionSettings, [], (settingError) => {
    if (settingError) {
      done(settingError, connection);
      return;
    }
    connection.query("select @@max_allowed_packet as bytes", [], (error, rows) => {
      const bytes = Number((rows as [{ bytes: unknown }?] | undefined)?.[0]?.bytes);
      if (bytes > 0) {
        limit.learn(bytes);
        limitBytes(connection, bytes);
      }
      done(error, connection);
    });
  });
}

/**
 * Gives up a connection whose server does not answer, where the driver would wait until the kernel does, for
 * a quarter of an hour. The statement fails as it would for a connection that was cut.
 */
function limitQueries(connection: RawConnection, limitMs: number): void {
  const query = connection.query.bind(connection);
  let failure: unknown;
  connection.query = (sql, values, callback) => {
    const timer = setTimeout(() => {
      const error = new Error(`no answer from MySQL within ${limitMs} ms`);
      connection.stream.destroy(Object.assign(error, { code: "ETIMEDOUT" }));
    }, limitMs);
    query(sql, values, (error, ...results) => {
      clearTimeout(timer);
      const text = textOf(sql);
      if (error && endsTransaction(text)) giveUp(connection, error);
      // Why the transaction failed counts, not that a connection which that has cost can roll nothing back.
      const cause = isRollback(text) && failure ? failure : error;
      failure = error;
      callback(error && cause, ...results);
    });
  };
}

/**
 * Refuses what the server would not take, before it is sent: a server may close the connection before it says why, and
 * that looks like an outage.
 */
export function limitBytes(connection: Pick<RawConnection, "query">, bytes: number): void {
  const query = connection.query.bind(connection);
  const mostBytes = bytes - frameBytes;
  connection.query = (sql, values, callback) => {
    if (mayExceed(mostBytes, textOf(sql), values)) {
      callback(new StatementTooLargeError(`a statement is larger than the server's ${bytes} bytes`));
    } else {
      query(sql, values, callback);
    }
  };
}

function textOf(sql: unknown): string {
  return typeof sql === "string" ? sql : ((sql as { sql?: string } | null)?.sql ?? "");
}

function endsTransaction(text: string): boolean {
  return /^\s*(commit|rollback)\b/i.test(text);
}

function isRollback(text: string): boolean {
  return /^\s*rollback\b/i.test(text);
}

/**
 * Closes a connection whose transaction could not be ended: what a server before others holds for it is not known, and
 * may stand in the way of all that comes over the same connection.
 */
function giveUp(connection: RawConnection, cause: unknown): void {
  connection.stream.destroy(new Error("the transaction on this connection could not be ended", { cause }));
}
