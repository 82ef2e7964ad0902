import { Redis, ReplyError } from "ioredis";

/** Thrown when Redis is away, too slow, or answers that it cannot serve now. Nothing is known of the outcome. */
export class BufferUnavailableError extends Error {
  constructor(cause: unknown) {
    super(`Redis cannot serve: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = "BufferUnavailableError";
  }
}

/** A command that has no answer after this long has failed, so that a client hears 503 within a second. */
const requestTimeoutMs = 600;
/** The flusher can wait for a busy Redis; a batch of a thousand rows is one command. */
const drainTimeoutMs = 10_000;

/**
 * Connects to Redis such that every command settles: none waits for a connection, none is sent twice.
 * The client reconnects by itself for as long as it takes.
 */
export function connect(url: string, use: "requests" | "draining"): Connection {
  const commandTimeout = use === "requests" ? requestTimeoutMs : drainTimeoutMs;
  const client = new Redis(url, {
    commandTimeout,
    // A connection on which nothing comes back is given up, or each command would wait out its timeout.
    socketTimeout: 2 * commandTimeout,
    connectTimeout: 2000,
    enableOfflineQueue: false,
    // A command whose reply was lost may have run: to send it again could number a message twice.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    enableAutoPipelining: use === "requests",
    // These are gathered before they come here, and would only wait once more.
    autoPipeliningIgnoredCommands: ["sluice-accept", "rlflxIncr"],
    retryStrategy: (attempt) => Math.min(50 * attempt, 500),
    // A demoted or read-only master: connect anew, perhaps to another.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
    lazyConnect: true,
  });
  // Every failed command says so itself; without a listener the same fault would end the process.
  client.on("error", () => undefined);
  return new Connection(client, commandTimeout);
}

/** A Redis client and how long its callers wait. */
export class Connection {
  readonly client: Redis;
  readonly #timeoutMs: number;

  constructor(client: Redis, timeoutMs: number) {
    this.client = client;
    this.#timeoutMs = timeoutMs;
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
      throw isDefect(error) ? error : new BufferUnavailableError(error);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Connects for pub/sub: waits for Redis for ever and subscribes again after each reconnect. */
export function connectSubscriber(url: string): Redis {
  const client = new Redis(url, {
    maxRetriesPerRequest: null,
    autoResubscribe: true,
    retryStrategy: (attempt) => Math.min(50 * attempt, 1000),
    lazyConnect: true,
  });
  client.on("error", () => undefined);
  return client;
}

/** The error replies that speak of Redis' state, not of the command; each passes with time or an operator. */
const stateReplies =
  /^(OOM|READONLY|LOADING|MISCONF|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|NOREPLICAS|BUSY|UNKILLABLE|NOAUTH|WRONGPASS|NOPERM|ERR max number of clients)/;

function isDefect(error: unknown): boolean {
  return error instanceof ReplyError && !stateReplies.test(scriptErrorCode((error as Error).message));
}

/** A script's error is wrapped by some versions of Redis; the code inside is what counts. */
function scriptErrorCode(message: string): string {
  return message.replace(/^ERR Error running script.*?: (@user_script:\s*\d+: )?/, "").replace(/^-/, "");
}
