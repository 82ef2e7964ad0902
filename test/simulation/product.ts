/**
 * All that the simulator knows of how Sluice is put together: which parts make a process, what a call is named, what
 * lies where in Redis. When the program's wiring changes, this file does.
 */
import knex, { type Knex } from "knex";

import { Buffer } from "../../src/buffer/buffer.ts";
import { BufferUnavailableError, Connection } from "../../src/buffer/connections.ts";
import type { DeadLetters } from "../../src/buffer/dead-letters.ts";
import type { Config } from "../../src/config.ts";
import { EpochGuard, reportLoss } from "../../src/epoch-guard.ts";
import { ApiError } from "../../src/errors.ts";
import { drainOf, systemClock } from "../../src/flusher/flusher.ts";
import { IndexWorkers } from "../../src/flusher/index-workers.ts";
import { dropLanded } from "../../src/flusher/landed-letters.ts";
import type { Membership } from "../../src/flusher/membership.ts";
import { PartitionWorker } from "../../src/flusher/partition-worker.ts";
import type { FlushLog, Trigger } from "../../src/flusher/ports.ts";
import { type CountedWrite, removeSome } from "../../src/flusher/remove-some.ts";
import { SequenceMark } from "../../src/flusher/sequence-mark.ts";
import { createAcceptor } from "../../src/http/accept.ts";
import { createChanger } from "../../src/http/change.ts";
import { createReader } from "../../src/http/read-after-write.ts";
import type { Acceptor, Changer, Reader } from "../../src/http/services.ts";
import { countsJob } from "../../src/jobs/counts.ts";
import { unseen } from "../../src/jobs/job.ts";
import { knexSettings } from "../../src/store/connection.ts";
import { classify } from "../../src/store/failure.ts";
import { limitBytes } from "../../src/store/guarded-connection.ts";
import { StatementLimit } from "../../src/store/statement-limit.ts";
import { Store } from "../../src/store/store.ts";
import { simulatedIndex } from "./index-client.ts";
import type { IndexServer } from "./index-server.ts";
import type { MysqlServer, SimulatedConnection as MysqlConnection } from "./mysql-server.ts";
import { type Answers, simulatedClient } from "./redis-client.ts";
import type { RedisServer } from "./redis-server.ts";
import type { Steps } from "./steps.ts";
import type { SimProcess } from "./world.ts";

/** Tables that hold data, in an order in which they can be emptied. */
export const tables = ["removals", "messages", "chats", "applications", "partitions", "settings"];

const prefix = "sluice-";

/** What a simulated server answers otherwise than the real one. */
const answers: Answers = { "who-serves": (server) => `${server.identity}:master` };

/** How large a statement may be, as if the server had said so on each new connection. */
export const packetBytes = 64 * 1024;

/** What the parts of a process are made of. */
export interface Parts {
  readonly process: SimProcess;
  readonly steps: Steps;
  readonly redis: RedisServer;
  readonly mysql: MysqlServer;
  readonly index: IndexServer;
  readonly config: Config;
  readonly log: FlushLog;
  readonly settings: Settings;
}

export interface Settings {
  readonly thresholds: { readonly chats: number; readonly messages: number };
  readonly maxRows: number;
  /** Documents that may be owed to the search index; 0 where there is none. */
  readonly mostOwed: number;
}

/** Fails a call as a lost connection does: the error is already what callers know. */
class SimulatedConnection extends Connection {
  override async settled<T>(command: Promise<T>): Promise<T> {
    return command;
  }
}

function bufferOf({ process, steps, redis, config, settings }: Parts): Buffer {
  const failure = () => new BufferUnavailableError("the connection was lost");
  const client = simulatedClient(process, steps, redis, { prefix, answers, failure });
  const limits = { ...config.buffer, thresholds: settings.thresholds };
  const { mostOwed } = settings;
  return new Buffer(new SimulatedConnection(client, 600), { ...config.redis, limits, mostOwed });
}

function storeOf({ process, steps, mysql, config }: Parts): Store {
  const pool = knex({ ...knexSettings(config.database, "writing"), pool: { min: 0, max: 4 } });
  Object.assign((pool as Knex & { client: object }).client, {
    acquireRawConnection: async () => {
      const connection = await mysql.take(process, steps);
      limitBytes(connection, packetBytes);
      return connection;
    },
    destroyRawConnection: (connection: MysqlConnection) => mysql.release(connection),
    validateConnection: ({ isLost }: MysqlConnection) => !isLost,
  });
  const limit = new StatementLimit();
  limit.learn(packetBytes);
  return new Store(pool, limit);
}

/** An API process: what its routes call. */
export interface Api {
  readonly accept: Acceptor;
  readonly change: Changer;
  readonly read: Reader;
  readonly deadLetters: DeadLetters;
}

export function startApi(parts: Parts): Api {
  const [buffer, store] = [bufferOf(parts), storeOf(parts)];
  const epochs = new EpochGuard(buffer, store, reportLoss(parts.log));
  const read = createReader(buffer, store);
  return {
    accept: createAcceptor(buffer, store, epochs),
    read,
    change: createChanger(buffer, store, read),
    deadLetters: buffer.deadLetters,
  };
}

/** A flusher process: serves its partition for as long as it lives. */
export interface RunningFlusher {
  post(trigger: Trigger): void;
}

const lookEveryMs = 1000;

/** A look at a lease now and then; nobody shares. */
const turns = {
  turn: async (_partition: number, signal: AbortSignal) => {
    await systemClock.sleep(lookEveryMs, signal);
    return !signal.aborted;
  },
  tenure: () => new AbortController().signal,
};

/** Keeps the index as a flusher process does, beside its drain. */
function keepIndex({ process, steps, index, log }: Parts, buffer: Buffer, store: Store): void {
  const sharing = {
    owner: process.name,
    turnsAtIndexing: () => ({ ...turns, run: () => Promise.resolve() }),
  };
  const membership = sharing as unknown as Membership;
  const kept = simulatedIndex(steps, index);
  const workers = new IndexWorkers(buffer, store, kept, { log, clock: systemClock, membership });
  process.onEnd(() => {
    void workers.stop();
  });
}

export function startFlusher(parts: Parts): RunningFlusher {
  const [buffer, store] = [bufferOf(parts), storeOf(parts)];
  const { log, process, settings } = parts;
  const epochs = new EpochGuard(buffer, store, reportLoss(log));
  const mark = new SequenceMark(buffer, store, epochs, 0);
  let lookedUnder: string | undefined;
  const worker = new PartitionWorker({
    partition: 0,
    clock: systemClock,
    log,
    turns,
    leases: {
      acquire: (durationMs) => buffer.leases.acquire(0, process.name, durationMs),
      renew: (lease, durationMs) => buffer.leases.renew(lease, durationMs),
      release: (lease) => buffer.leases.release(lease),
    },
    drain: async (lease, trigger, signal, isHeld) => {
      await mark.claim(lease);
      if (lookedUnder !== lease.value) await dropLanded(buffer, store, 0);
      lookedUnder = lease.value;
      return drainOf(buffer, store, settings, log, lease, signal, { mark, isHeld }).run(trigger);
    },
    removeSome: async (lease) => {
      await mark.claim(lease);
      const counted: CountedWrite = (write) => mark.counted(lease, write);
      return !(await buffer.pauses.isPaused(0)) && removeSome(buffer, store, 0, counted);
    },
    standBack: () => undefined,
  });
  process.onReconnect(() => {
    worker.post("threshold");
  });
  if (settings.mostOwed > 0) keepIndex(parts, buffer, store);
  const stop = new AbortController();
  // Whoever listens to a signal is kept for as long as it may come, and the whole run with it.
  process.onEnd(() => {
    stop.abort();
  });
  worker.run(stop.signal).catch((error: unknown) => {
    log.error({ err: error }, "the worker ended");
  });
  return {
    post: (trigger) => {
      worker.post(trigger);
    },
  };
}

/** Whether a process is woken by what was published. */
export function isWake(channel: string): boolean {
  return channel.endsWith(":wake");
}

/** Runs the counts job once, all parents or those that are marked. */
export async function runCounts(parts: Parts): Promise<string> {
  const job = countsJob(bufferOf(parts), storeOf(parts), { all: false });
  return job.run(new AbortController().signal, unseen);
}

/** What a client was told: a status of the API, or a raw failure, which would be a 500. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  /** Whether somebody else's lock was met: here such a statement fails at once, where it would wait. */
  readonly isContention: boolean;
}

export function refusalOf(error: unknown): Refusal {
  if (error instanceof ApiError) return { status: error.status, code: error.code, isContention: false };
  const message = error instanceof Error ? error.message : String(error);
  // An operator's command says so itself.
  if (error instanceof BufferUnavailableError) return { status: 503, code: message, isContention: false };
  return { status: 500, code: message.slice(0, 160), isContention: isContention(error) };
}

export function isContention(error: unknown): boolean {
  return classify(error) === "contention";
}
