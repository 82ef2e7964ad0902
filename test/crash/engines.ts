import { redisArguments } from "../refusals/ground.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { RedisCluster } from "../support/redis-cluster.ts";
import type { RedisNode } from "../support/redis-node.ts";
import { SpiderCluster } from "../support/spider.ts";
import { FaultProxy } from "../support/fault-proxy.ts";

/** Something that can be killed, paused and started again. */
export interface Victim {
  readonly kind: "api" | "flusher" | "redis" | "mariadb";
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL; gone when it resolves. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** Data on a disk that can be lost with a Redis; it must not run meanwhile. */
export interface Disk {
  readonly victim: Victim;
  readonly lose: () => void;
  /** Only where there is one Redis, so that what was flushed since tells an older copy. */
  readonly copies?: Copies;
}

/** Keeps a copy of the data, and puts it back in their place. */
export interface Copies {
  readonly save: () => void;
  readonly putBack: () => void;
}

/** What Sluice runs on: one server each, or several of them. */
export interface EngineKinds {
  readonly redis: "server" | "cluster";
  readonly database: "mariadb" | "spider";
}

/** A Redis or a MySQL, and what of it can be broken. */
export interface Engine {
  /** Where it is to be found. */
  readonly env: NodeJS.ProcessEnv;
  /** What of that is otherwise for those who are to come through the proxy. */
  readonly proxiedEnv: NodeJS.ProcessEnv;
  readonly proxy: FaultProxy | undefined;
  readonly victims: readonly Victim[];
  readonly disks: readonly Disk[];
  /** Where it is one server: what can be made to refuse. */
  readonly server: PrivateEngine | undefined;
  close(): Promise<void>;
}

/**
 * Starts a Redis that has what it answered, also when it is killed: synced before each reply. With everysec it may
 * hold a write back while a sync is slow, and then an answered record could be lost, as the guarantees say.
 */
export async function startRedis(kind: EngineKinds["redis"]): Promise<Engine> {
  return kind === "server" ? startRedisServer() : startRedisCluster();
}

async function startRedisServer(): Promise<Engine> {
  const engine = await PrivateEngine.start("redis", redisArguments);
  const victim = serverVictim("redis", engine);
  const copies = { save: engine.saveData.bind(engine), putBack: engine.putDataBack.bind(engine) };
  return behindProxy({
    env: engine.env,
    port: engine.port,
    addressesAt: (port) => engine.addressesAt(port),
    victims: [victim],
    disks: [{ victim, lose: engine.loseData.bind(engine), copies }],
    server: engine,
    close: () => engine.close(),
  });
}

/**
 * Without failover: a replica is given its data after the answer, so only a master that comes back itself has all of
 * it. No proxy stands before it, as its nodes tell their own addresses.
 */
async function startRedisCluster(): Promise<Engine> {
  const cluster = await RedisCluster.start({ appendfsync: "always", hasFailover: false });
  const masters = await cluster.masters();
  const disks = masters.map((node): Disk => ({ victim: nodeVictim(node), lose: node.loseData.bind(node) }));
  return {
    env: { REDIS_URL: cluster.url },
    proxiedEnv: {},
    proxy: undefined,
    victims: disks.map(({ victim }) => victim),
    disks,
    server: undefined,
    close: () => cluster.close(),
  };
}

export async function startDatabase(kind: EngineKinds["database"]): Promise<Engine> {
  const addressesAt = (port: number) => ({ DATABASE_PORT: String(port) });
  if (kind === "mariadb") {
    const engine = await PrivateEngine.start("database");
    const { env, port } = engine;
    const victims = [serverVictim("mariadb", engine)];
    return behindProxy({ env, port, addressesAt, victims, server: engine, close: () => engine.close() });
  }
  const spider = await SpiderCluster.start();
  const { env, front, backEnds } = spider;
  const victims = [front, ...backEnds].map((server) => serverVictim("mariadb", server));
  return behindProxy({ env, port: front.port, addressesAt, victims, close: () => spider.close() });
}

interface Plain extends Pick<Engine, "env" | "victims" | "close"> {
  readonly disks?: readonly Disk[];
  readonly server?: PrivateEngine;
  readonly port: number;
  readonly addressesAt: (port: number) => NodeJS.ProcessEnv;
}

async function behindProxy(plain: Plain): Promise<Engine> {
  const { env, port, addressesAt, victims, disks = [], server, close } = plain;
  const proxy = await FaultProxy.to(port);
  return {
    env,
    proxiedEnv: addressesAt(proxy.port),
    proxy,
    victims,
    disks,
    server,
    async close() {
      await proxy.close();
      await close();
    },
  };
}

function serverVictim(kind: "redis" | "mariadb", engine: PrivateEngine): Victim {
  return {
    kind,
    signal: (signal) => void process.kill(engine.pid, signal),
    kill: () => engine.stop("SIGKILL"),
    start: () => engine.start(),
  };
}

function nodeVictim(node: RedisNode): Victim {
  return {
    kind: "redis",
    signal: (signal) => {
      node.signal(signal);
    },
    kill: () => node.kill(),
    start: () => node.start(),
  };
}
