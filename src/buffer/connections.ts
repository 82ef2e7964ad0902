import { setTimeout as delay } from "node:timers/promises";

import { Redis, ReplyError } from "ioredis";

import { parseRedisAddress } from "../redis-address.ts";
import { createClient, createSubscriber, type RedisClient, timeoutMs, type Use } from "./clients.ts";
import { ClusterClient } from "./cluster-client.ts";
import { settledBy } from "./settled-client.ts";

/**
 * Thrown when Redis is away, too slow, or answers that it cannot serve now. Nothing is known of the outcome, but where
 * Redis is out of memory: then nothing was done.
 */
export class BufferUnavailableError extends Error {
  /** The word that Redis' reply begins with, such as `OOM`, or the code of a connection that failed. */
  readonly code: string | undefined;

  constructor(cause: unknown) {
    super(`Redis cannot serve: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = "BufferUnavailableError";
    this.code = codeOf(cause);
  }
}

/** A start does not wait for Redis longer than this. */
const openTimeoutMs = 3000;

/** Between two attempts to subscribe: by then the client has chosen another node. */
const subscribeEveryMs = 100;

/**
 * Connects to Redis such that every command settles: none waits for a connection, none is sent twice.
 * The client reconnects by itself for as long as it takes.
 */
export function connect(url: string, use: Use): Connection {
  return new Connection(createClient(parseRedisAddress(url), use), timeoutMs[use]);
}

/** Connects for pub/sub: waits for Redis for ever and subscribes again after each reconnect. */
export function connectSubscriber(url: string): RedisClient {
  return createSubscriber(parseRedisAddress(url));
}

/**
 * Subscribes with a client for pub/sub, now and each time it is connected again. A cluster's asks one node, whichever:
 * where that is away, another is asked. A server that refuses, be it the password or the channels, is waited for like
 * one that is away.
 *
 * @throws when the client was closed meanwhile
 */
export async function subscribe(client: RedisClient, channels: readonly string[]): Promise<void> {
  let trying: Promise<void> | undefined;
  // One at a time: who is refused for long may be connected again many times meanwhile.
  const attempt = () =>
    (trying ??= untilSubscribed(client, channels).finally(() => {
      trying = undefined;
    }));
  // Before others hear of it: whoever looks for what was missed then misses nothing after it. A cluster's client does so
  // by itself.
  if (client instanceof Redis) client.prependListener("ready", () => void attempt().catch(() => undefined));
  await attempt();
}

async function untilSubscribed(client: RedisClient, channels: readonly string[]): Promise<void> {
  for (;;) {
    try {
      await client.subscribe(...channels);
      return;
    } catch (error) {
      if (["disconnecting", "end"].includes(client.status)) throw error;
    }
    await delay(subscribeEveryMs);
  }
}

/** A Redis client and how long its callers wait. */
export class Connection {
  /** Each of its commands is settled as `settled` says: so none can be forgotten. */
  readonly client: RedisClient;
  /** The same, as it comes, for whoever has to do with more than commands. */
  readonly unsettled: RedisClient;
  readonly #timeoutMs: number;
  #reconnects = 0;
  #rightsRefused = 0;
  /** Why there is no connection, while there is none. */
  #failure: Error | undefined;

  constructor(client: RedisClient, timeoutMs: number) {
    this.unsettled = client;
    this.client = this.#settling(client);
    this.#timeoutMs = timeoutMs;
    client.on("error", (error: Error & { lastNodeError?: Error }) => {
      this.#failure = error.lastNodeError ?? error;
    });
    client.on("ready", () => {
      this.#failure = undefined;
    });
    this.onReconnect(() => {
      this.#reconnects += 1;
    });
  }

  /** How often `onReconnect` has called back. */
  get reconnects(): number {
    return this.#reconnects;
  }

  /** How often Redis has refused a command for want of rights. */
  get rightsRefused(): number {
    return this.#rightsRefused;
  }

  /** Resolves when Redis is connected, or after a first attempt at it; it is gone on with. */
  async open(): Promise<void> {
    const { unsettled: client } = this;
    // A cluster that is down, and sentinels that are away, are asked again and again meanwhile.
    const late = delay(openTimeoutMs, undefined, { ref: false });
    await Promise.race([client.connect().catch(() => undefined), late]);
    if (client instanceof ClusterClient) await Promise.race([client.connected(), late]);
  }

  /** A cluster's client lets commands wait for a first connection; nothing may be kept after its 503. @throws */
  requireConnected(): void {
    const { client } = this;
    if (client instanceof ClusterClient && client.status !== "ready") {
      throw new BufferUnavailableError(this.#failure ?? `the cluster is not connected: ${client.status}`);
    }
  }

  /**
   * Every server that holds a part of the data: one, or the masters of a cluster.
   *
   * @throws {BufferUnavailableError} while one of a cluster is away
   */
  masters(): readonly Redis[] {
    const { unsettled } = this;
    if (!(unsettled instanceof ClusterClient)) return [this.#settling(unsettled)];
    try {
      return unsettled.masters.map((master) => this.#settling(master));
    } catch (error) {
      unsettled.refreshAfterFailure();
      throw new BufferUnavailableError(error);
    }
  }

  /** The one server, or those masters of a cluster that serve. @throws {BufferUnavailableError} where none does */
  async servingMasters(): Promise<readonly Redis[]> {
    const { unsettled } = this;
    if (!(unsettled instanceof ClusterClient)) return [this.#settling(unsettled)];
    return (await this.settled(unsettled.servingMasters())).map((master) => this.#settling(master));
  }

  /** The number of the database that is used there. */
  get database(): number {
    return this.client instanceof ClusterClient ? 0 : (this.client.options.db ?? 0);
  }

  /** Where each part of the data lies now, for a comparison. */
  get layout(): string {
    return this.client instanceof ClusterClient ? this.client.masterBySlot.join() : "";
  }

  /**
   * Calls back before any command can reach another server, or one that was started again: each time the
   * connection is lost, or a cluster was asked who serves what.
   */
  onReconnect(listener: () => void): void {
    this.unsettled.on(this.unsettled instanceof ClusterClient ? "refresh" : "close", listener);
  }

  #settling<C extends object>(client: C): C {
    return settledBy((command) => this.settled(command), client);
  }

  /**
   * Awaits a command, no longer than a caller waits: the client's own timeout begins only when a command is
   * sent, and a command that is pipelined is sent after those before it were answered.
   *
   * @throws {BufferUnavailableError} for a lost connection, a timeout, or a reply about Redis' state.
   * @throws what Redis replied otherwise: a defect of ours.
   */
  async settled<T>(command: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no answer within ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
    });
    try {
      return await Promise.race([command, late]);
    } catch (error) {
      if (isDefect(error)) throw error;
      if (this.unsettled instanceof ClusterClient) this.unsettled.refreshAfterFailure();
      const unavailable = new BufferUnavailableError(
        error instanceof ReplyError ? error : (this.#failure ?? error),
      );
      if (unavailable.code === "NOPERM") this.#rightsRefused += 1;
      throw unavailable;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The error replies that speak of Redis' state, not of the command; each passes with time or an operator. */
const stateReplies =
  /^(OOM|READONLY|EXECABORT|MOVED|ASK|LOADING|MISCONF|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|NOREPLICAS|BUSY|UNKILLABLE|NOAUTH|WRONGPASS|NOPERM|NOSCRIPT|ERR max number of clients)/;

function isDefect(error: unknown): boolean {
  return error instanceof ReplyError && !stateReplies.test(replyOf(error as Error));
}

/** What Redis said, its code first. Some versions put a script's error into one of their own. */
function replyOf({ message }: Error): string {
  if (/^ERR The user executing the script can't |ACL failure in script/.test(message)) {
    return message.replace(/^(ERR |.*?NOPERM )?/, "NOPERM ");
  }
  return message.replace(/^ERR Error running script.*?: (@user_script:\s*\d+: )?/, "").replace(/^-/, "");
}

function codeOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  if (cause instanceof ReplyError) return /^[A-Z]+/.exec(replyOf(cause))?.[0];
  return "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
}
