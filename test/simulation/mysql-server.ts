/**
 * The MySQL of the simulation: a real server. A simulated process gets connections of its own; a statement that meets
 * another's lock fails at once, so that nothing waits for somebody who is not on turn.
 */
import { type Connection, type ConnectionOptions, createConnection } from "mysql2";

import type { Steps } from "./steps.ts";
import type { SimProcess } from "./world.ts";

type Rows = readonly Readonly<Record<string, unknown>>[];

/** All rows at one moment, by table. */
export type MysqlCopy = ReadonlyMap<string, Rows>;

const sessionSettings =
  "set time_zone = '+00:00', innodb_lock_wait_timeout = 0, " +
  "sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO'";

export class MysqlServer {
  readonly #options: ConnectionOptions;
  readonly #tables: readonly string[];
  readonly #admin: Connection;
  readonly #idle: Connection[] = [];
  readonly #all: Connection[] = [];
  readonly #used = new Set<SimulatedConnection>();

  private constructor(options: ConnectionOptions, tables: readonly string[], admin: Connection) {
    this.#options = options;
    this.#tables = tables;
    this.#admin = admin;
  }

  /**
   * Connects so many times beforehand; each further connection a run needs is made when it is. `ofTests` are the
   * options for the simulator's own statements.
   */
  static async connect(
    options: ConnectionOptions,
    ofTests: ConnectionOptions,
    tables: readonly string[],
    connections: number,
  ): Promise<MysqlServer> {
    const admin = createConnection({ ...ofTests, dateStrings: true, multipleStatements: true });
    const server = new MysqlServer(options, tables, admin);
    await ask(admin, sessionSettings);
    for (let nth = 0; nth < connections; nth += 1) server.#idle.push(await server.#open());
    return server;
  }

  async close(): Promise<void> {
    for (const connection of [this.#admin, ...this.#all]) connection.destroy();
    return Promise.resolve();
  }

  /** The simulator's own statement. */
  async sql(statement: string, values: unknown[] = []): Promise<Rows> {
    return (await ask(this.#admin, statement, values)) as Rows;
  }

  /** Ends all that is open and removes every row. */
  async reset(): Promise<void> {
    for (const connection of [...this.#used]) await this.release(connection);
    await this.sql(this.#tables.map((table) => `delete from ${table}`).join(";"));
  }

  async copy(): Promise<MysqlCopy> {
    const rows = (await this.sql(
      this.#tables.map((table) => `select * from ${table}`).join(";"),
    )) as unknown as Rows[];
    return new Map(this.#tables.map((table, at) => [table, rows[at] ?? []]));
  }

  /** Starts again with what an older copy holds: every connection is lost. */
  async putBack(copy: MysqlCopy): Promise<void> {
    for (const connection of this.#used) await connection.lose();
    await this.sql(this.#tables.map((table) => `delete from ${table}`).join(";"));
    for (const [table, rows] of copy) {
      const [first] = rows;
      if (!first) continue;
      const columns = Object.keys(first);
      await this.sql(`insert into ${table} (${columns.join(",")}) values ?`, [
        rows.map((row) => columns.map((column) => row[column])),
      ]);
    }
  }

  /** A connection for a simulated process. */
  async take(process: SimProcess, steps: Steps): Promise<SimulatedConnection> {
    const connection = new SimulatedConnection(this.#idle.pop() ?? (await this.#open()), process, steps);
    this.#used.add(connection);
    return connection;
  }

  /** Rolls back what a connection has begun and takes it away from its process. */
  async release(connection: SimulatedConnection): Promise<void> {
    if (!this.#used.delete(connection)) return;
    await connection.lose();
    this.#idle.push(connection.real);
  }

  /** Rolls back what a process has begun, as the server does when it is gone; its connections go to others. */
  async releaseAll(process: SimProcess): Promise<void> {
    for (const connection of [...this.#used])
      if (connection.process === process) await this.release(connection);
  }

  /** Loses what a process has begun and not gone on with for too long. */
  async loseTransactions(process: SimProcess): Promise<void> {
    for (const connection of this.#used) if (connection.process === process) await connection.lose();
  }

  async #open(): Promise<Connection> {
    const connection = createConnection(this.#options);
    await ask(connection, sessionSettings);
    this.#all.push(connection);
    return connection;
  }
}

type QueryCallback = (error: unknown, rows?: unknown, fields?: unknown) => void;

/** What a pool holds in place of a connection of the driver. */
export class SimulatedConnection {
  readonly real: Connection;
  readonly stream = { destroyed: false, destroy: () => undefined };
  readonly process: SimProcess;
  readonly #steps: Steps;
  #isInTransaction = false;
  #isLost = false;

  constructor(real: Connection, process: SimProcess, steps: Steps) {
    this.real = real;
    this.process = process;
    this.#steps = steps;
  }

  query(statement: string | { readonly sql: string }, values: unknown, callback: QueryCallback): void {
    const sql = typeof statement === "string" ? statement : statement.sql;
    const name = nameOf(sql);
    const place = this.#isInTransaction ? "· " : "";
    this.#steps
      .call({
        engine: "mysql",
        name,
        detail: () => `${place}${detailOf(sql, values)}`,
        run: () => this.#run(name, sql, values),
        shown: (answer) => shownOf((answer as [unknown, unknown])[0]),
        failure: connectionReset,
        onLost: () => this.lose(),
      })
      .then(
        (answer) => {
          callback(null, ...(answer as [unknown, unknown]));
        },
        (error: unknown) => {
          callback(error);
        },
      );
  }

  /** A pool puts another one in the place of a lost one. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Rolls back, as a server does when a connection is lost; whatever it is asked then fails. */
  async lose(): Promise<void> {
    if (!this.#isInTransaction) return;
    this.#isInTransaction = false;
    this.#isLost = true;
    await ask(this.real, "rollback");
  }

  async #run(name: string, sql: string, values: unknown): Promise<readonly [unknown, unknown]> {
    if (this.#isLost) throw connectionReset();
    if (!this.process.isAlive) throw connectionReset();
    const answer = await new Promise<readonly [unknown, unknown]>((resolve, reject) => {
      this.real.query(sql, values as unknown[], (error, rows, fields) => {
        if (error) reject(error);
        else resolve([rows, fields]);
      });
    });
    if (name === "begin") this.#isInTransaction = true;
    if (name === "commit" || name === "rollback") this.#isInTransaction = false;
    return answer;
  }
}

function connectionReset(): Error {
  return Object.assign(new Error("the connection to MySQL was lost"), { code: "ECONNRESET" });
}

/** "begin", "commit", "insert messages", "select chats", … */
function nameOf(sql: string): string {
  const text = sql.toLowerCase().replaceAll("`", "");
  const verb = /^\s*([a-z]+)/.exec(text)?.[1] ?? "?";
  const table = /\b(?:from|into|update)\s+([a-z]+)/.exec(text)?.[1];
  return table === undefined || verb === "begin" ? verb : `${verb} ${table}`;
}

/** Of an answer the rows, or that there are none to be had. */
function shownOf(rows: unknown): unknown {
  return Array.isArray(rows) ? rows : "done";
}

const mostShown = 130;

function detailOf(sql: string, values: unknown): string {
  const clause = /\b(where|set|values)\b.*/is.exec(sql)?.[0] ?? "";
  const text = `${clause.replaceAll("`", "").slice(0, 60)} ${JSON.stringify(values ?? [])}`;
  return text.length > mostShown ? `${text.slice(0, mostShown)}…` : text;
}

function ask(connection: Connection, sql: string, values: unknown[] = []): Promise<unknown> {
  return new Promise((resolve, reject) => {
    connection.query(sql, values, (error, rows) => {
      if (error) reject(error);
      else resolve(rows);
    });
  });
}
