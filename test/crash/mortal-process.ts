import { setMaxListeners } from "node:events";

import knex, { type Knex } from "knex";

import { Buffer } from "../../src/buffer/buffer.ts";
import { connect } from "../../src/buffer/connections.ts";
import type { Config } from "../../src/config.ts";
import { knexSettings } from "../../src/store/connection.ts";
import { EpochGuard } from "../../src/epoch-guard.ts";
import { Store } from "../../src/store/store.ts";
import { roomyLimits } from "../support/buffers.ts";

interface RawConnection {
  query(sql: unknown, values: unknown, callback: QueryCallback): void;
  destroy(): void;
}

/** What a process that is paused waits for; asked at every step from the one on at which it is paused. */
export type Pause = () => Promise<void>;

type QueryCallback = (error: unknown, ...results: unknown[]) => void;
type AfterCreate = (connection: RawConnection, done: (error: unknown, made: RawConnection) => void) => void;

/**
 * What a process of Sluice has of Redis and MySQL, for the real parts of it to be built on; and something
 * happens to it when so many commands and statements were carried out, before it hears of the last of them.
 * It dies as by SIGKILL: its connections are gone then, open transactions with them, and nothing it does any
 * more has an effect. Or it is paused as by SIGSTOP, until it is told to go on.
 */
export class MortalProcess {
  readonly buffer: Buffer;
  readonly store: Store;
  readonly epochs: EpochGuard;
  /** Commands and statements carried out so far. */
  steps = 0;
  readonly #lastStep: number;
  readonly #pause: Pause | undefined;
  readonly #death = new AbortController();
  readonly #pool: Knex;

  private constructor(config: Config, lastStep: number, pause: Pause | undefined) {
    this.#lastStep = lastStep;
    this.#pause = pause;
    const connection = connect(config.redis.url, "draining");
    const settled = connection.settled.bind(connection);
    connection.settled = async (command) => {
      const reply = await settled(command);
      await this.#survive();
      return reply;
    };
    this.buffer = new Buffer(connection, { ...config.redis, limits: roomyLimits });
    this.#pool = knex(this.#mortalSettings(config));
    this.store = new Store(this.#pool);
    this.epochs = new EpochGuard(this.buffer, this.store, ({ reason }) => {
      throw new Error(`a loss was noticed where none was: ${reason}`);
    });
    // A listener for each connection there ever was.
    setMaxListeners(0, this.signal);
    this.signal.addEventListener("abort", () => {
      this.buffer.close();
    });
  }

  /** Without a last step it lives until it is ended; with a pause, that is what comes after that step. */
  static async start(config: Config, lastStep = Infinity, pause?: Pause): Promise<MortalProcess> {
    const started = new MortalProcess(config, lastStep, pause);
    await started.buffer.connection.connect();
    return started;
  }

  /** Aborts at its death. */
  get signal(): AbortSignal {
    return this.#death.signal;
  }

  async end(): Promise<void> {
    this.buffer.close();
    await this.#pool.destroy();
  }

  /** Counts a step, and waits out the pause. @throws when it dies of it */
  async #survive(mayPause = true): Promise<void> {
    this.steps += 1;
    if (this.steps >= this.#lastStep && !this.#pause) this.#death.abort();
    this.signal.throwIfAborted();
    if (this.steps >= this.#lastStep && mayPause) await this.#pause?.();
  }

  #mortalSettings(config: Config): Knex.Config {
    const settings = knexSettings(config.database, "writing");
    const prepare = settings.pool?.afterCreate as AfterCreate;
    const afterCreate: AfterCreate = (connection, done) => {
      prepare(connection, (error, made) => {
        this.#makeMortal(connection);
        done(error, made);
      });
    };
    return { ...settings, pool: { ...settings.pool, afterCreate } };
  }

  #makeMortal(connection: RawConnection): void {
    const query = connection.query.bind(connection);
    this.signal.addEventListener("abort", () => {
      connection.destroy();
    });
    // Whoever is paused with locks in its hands keeps the others waiting: there is nothing to see.
    let [isInTransaction, holdsLocks] = [false, false];
    connection.query = (sql, values, callback) => {
      const [verb = ""] = textOf(sql).toLowerCase().split(/\W/);
      if (["commit", "rollback"].includes(verb)) holdsLocks = false;
      else if (!["begin", "select"].includes(verb)) holdsLocks = isInTransaction;
      isInTransaction = verb === "begin" || (isInTransaction && !["commit", "rollback"].includes(verb));
      if (this.signal.aborted) {
        callback(this.signal.reason);
        return;
      }
      query(sql, values, (...outcome) => {
        this.#survive(!holdsLocks).then(() => {
          callback(...outcome);
        }, callback);
      });
    };
  }
}

function textOf(sql: unknown): string {
  return typeof sql === "string" ? sql : ((sql as { sql?: string } | null)?.sql ?? "");
}
