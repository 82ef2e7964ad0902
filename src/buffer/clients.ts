import { Redis, type RedisOptions } from "ioredis";

import type { Login, RedisAddress } from "../redis-address.ts";
import { ClusterClient, type NodeOptions } from "./cluster-client.ts";
import { MasterConnector } from "./sentinel-connector.ts";

export type RedisClient = Redis | ClusterClient;

/** To answer requests within a second, or to drain, patiently. */
export type Use = "requests" | "draining";

/**
 * A command that has no answer after this long has failed: so that a client hears 503 within a second. The
 * flusher can wait for a busy Redis; a batch of a thousand rows is one command.
 */
export const timeoutMs: Readonly<Record<Use, number>> = { requests: 600, draining: 10_000 };

/** A client that sends nothing twice, and keeps nothing for later; it is not connected yet. */
export function createClient(address: RedisAddress, use: Use): RedisClient {
  const gathering = {
    enableAutoPipelining: use === "requests",
    // These are gathered before they come here, and would only wait once more.
    autoPipeliningIgnoredCommands: ["sluice-accept", "rlflxIncr"],
  };
  const options: NodeOptions = {
    commandTimeout: timeoutMs[use],
    // A connection on which nothing comes back is given up, or each command would wait out its timeout.
    socketTimeout: 2 * timeoutMs[use],
    connectTimeout: 2000,
    // A command whose reply was lost may have run: to send it again could number a message twice.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // A demoted or read-only master: connect anew, perhaps to another.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
  };
  if (address.kind === "cluster") {
    return new ClusterClient([...address.seeds], {
      redisOptions: { ...options, ...accessOf(address) },
      clusterRetryStrategy: (attempt) => Math.min(50 * attempt, 500),
      enableOfflineQueue: false,
      ...gathering,
    });
  }
  return createServerClient(address, {
    ...options,
    enableOfflineQueue: false,
    ...gathering,
    retryStrategy: (attempt) => Math.min(50 * attempt, 500),
  });
}

/** A client for pub/sub, whose subscriptions wait for Redis. */
export function createSubscriber(address: RedisAddress): RedisClient {
  const retryStrategy = (attempt: number) => Math.min(50 * attempt, 1000);
  if (address.kind === "cluster") {
    return new ClusterClient([...address.seeds], {
      redisOptions: accessOf(address),
      clusterRetryStrategy: retryStrategy,
    });
  }
  // Nobody hears of a subscription that the driver makes anew and Redis refuses: that ends the process.
  return createServerClient(address, { maxRetriesPerRequest: null, autoResubscribe: false, retryStrategy });
}

function createServerClient(
  address: Exclude<RedisAddress, { kind: "cluster" }>,
  options: Omit<RedisOptions, "replyMapping">,
): Redis {
  const client =
    address.kind === "server"
      ? new Redis(address.url, { ...options, lazyConnect: true })
      : new Redis({ ...options, ...sentinelOptions(address), lazyConnect: true });
  // Every failed command says so itself; without a listener the same fault would end the process.
  client.on("error", () => undefined);
  return client;
}

function sentinelOptions(address: Extract<RedisAddress, { kind: "sentinel" }>): NodeOptions {
  const { sentinels, masterName, sentinelPassword, database, isSecure } = address;
  return {
    sentinels: [...sentinels],
    name: masterName,
    db: database,
    ...accessOf(address),
    ...(sentinelPassword !== undefined && { sentinelPassword }),
    ...(isSecure && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
    sentinelCommandTimeout: 1000,
    Connector: MasterConnector,
    // A master that was replaced may go on serving whoever is connected to it.
    failoverDetector: true,
  };
}

function accessOf({ login, isSecure }: { login: Login; isSecure: boolean }): NodeOptions {
  return {
    ...(login.username !== undefined && { username: login.username }),
    ...(login.password !== undefined && { password: login.password }),
    ...(isSecure && { tls: {} }),
  };
}
