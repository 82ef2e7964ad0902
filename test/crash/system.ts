import { PrivateEngine } from "../support/private-engines.ts";
import { SpiderCluster } from "../support/spider.ts";
import { type SluiceProcess, startApi, startFlusher } from "../support/sluice-process.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";
import { FaultProxy } from "./fault-proxy.ts";
import { increment } from "./ledger.ts";

/** Something that can be killed, paused and started again. */
export interface Victim {
  readonly kind: "api" | "flusher" | "redis" | "mariadb";
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL; gone when it resolves. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** One server, or a front and three servers behind it, each of which may be killed. */
export type DatabaseKind = "mariadb" | "spider";

/** A whole Sluice of its own: two API processes and two flushers, Redis and MariaDB, each behind a proxy. */
export class System {
  readonly workspace: Workspace;
  readonly proxies: { readonly redis: FaultProxy; readonly mysql: FaultProxy };
  readonly victims: readonly Victim[];
  /** Warnings and errors that the processes logged, and how often. */
  readonly logCounts = new Map<string, number>();
  readonly #engines: readonly (PrivateEngine | Database)[];
  readonly #apis: SluiceSlot[];

  private constructor(
    engines: readonly [PrivateEngine, Database],
    proxies: System["proxies"],
    workspace: Workspace,
  ) {
    const [redis, database] = engines;
    this.workspace = workspace;
    this.proxies = proxies;
    this.#engines = engines;
    const env = {
      ...workspace.env,
      REDIS_URL: redis.addressesAt(proxies.redis.port)["REDIS_URL"],
      DATABASE_PORT: String(proxies.mysql.port),
      // The minute's flush, often enough for a run that lasts only one.
      FLUSH_CRON: "*/2 * * * * *",
    };
    const slot = (role: "api" | "flusher") => new SluiceSlot(role, env, this.logCounts);
    this.#apis = [slot("api"), slot("api")];
    const flushers = [slot("flusher"), slot("flusher")];
    this.victims = [
      ...this.#apis,
      ...flushers,
      engineVictim("redis", redis),
      ...database.servers.map((server) => engineVictim("mariadb", server)),
    ];
  }

  static async start(kind: DatabaseKind = "mariadb"): Promise<System> {
    const engines = await Promise.all([
      // Synced before each reply: what a killed Redis answered, it has. With everysec it may hold a write
      // back while a sync is slow, and then an answered record could be lost, as the guarantees say.
      PrivateEngine.start("redis", ["--appendfsync", "always"]),
      startDatabase(kind),
    ]);
    const [redis, database] = engines;
    const proxies = { redis: await FaultProxy.to(redis.port), mysql: await FaultProxy.to(database.port) };
    const workspace = await openWorkspace({ ...redis.env, ...database.env });
    const system = new System(engines, proxies, workspace);
    const processes = system.victims.filter(({ kind }) => kind === "api" || kind === "flusher");
    await Promise.all(processes.map((process) => process.start()));
    return system;
  }

  /** Where each API process answers, or answered last. */
  get urls(): string[] {
    return this.#apis.map(({ url }) => url);
  }

  async close(): Promise<void> {
    await Promise.all(
      this.victims.filter(({ kind }) => kind !== "redis" && kind !== "mariadb").map((one) => one.kill()),
    );
    await this.workspace.close();
    await this.proxies.redis.close();
    await this.proxies.mysql.close();
    for (const engine of this.#engines) await engine.close();
  }
}

interface Database {
  readonly env: NodeJS.ProcessEnv;
  readonly port: number;
  /** Those that are killed. */
  readonly servers: readonly PrivateEngine[];
  close(): Promise<void>;
}

async function startDatabase(kind: DatabaseKind): Promise<Database> {
  if (kind === "mariadb") {
    const engine = await PrivateEngine.start("database");
    return { env: engine.env, port: engine.port, servers: [engine], close: () => engine.close() };
  }
  const spider = await SpiderCluster.start();
  const { env, front, backEnds } = spider;
  return { env, port: front.port, servers: [front, ...backEnds], close: () => spider.close() };
}

/** A process of Sluice, and after its death the one that takes its place. */
class SluiceSlot implements Victim {
  readonly kind: "api" | "flusher";
  url = "";
  readonly #env: NodeJS.ProcessEnv;
  readonly #logCounts: Map<string, number>;
  #process: SluiceProcess | undefined;

  constructor(kind: "api" | "flusher", env: NodeJS.ProcessEnv, logCounts: Map<string, number>) {
    this.kind = kind;
    this.#env = env;
    this.#logCounts = logCounts;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.child.kill(signal);
  }

  async kill(): Promise<void> {
    await this.#process?.end("SIGKILL");
    await this.#process?.closed;
    for (const { level, msg, err, reason } of this.#process?.log ?? []) {
      if (level === "info" || level === "debug") continue;
      const cause =
        (err as { message?: string } | undefined)?.message ?? (typeof reason === "string" ? reason : "");
      increment(this.#logCounts, `${level} ${this.kind}: ${msg} ${cause}`);
    }
    this.#process = undefined;
  }

  async start(): Promise<void> {
    if (this.kind === "flusher") {
      this.#process = await startFlusher(this.#env);
      return;
    }
    const { process, url } = await startApi(this.#env);
    this.#process = process;
    this.url = url;
  }
}

function engineVictim(kind: "redis" | "mariadb", engine: PrivateEngine): Victim {
  return {
    kind,
    signal: (signal) => void process.kill(engine.pid, signal),
    kill: () => engine.stop("SIGKILL"),
    start: () => engine.start(),
  };
}
