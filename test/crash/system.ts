import { clerkEnv, createClerk, openAdministration } from "../refusals/ground.ts";
import type { EngineName, Ground } from "../refusals/refusal.ts";
import { quietly } from "../support/redis-node.ts";
import { type SluiceProcess, startApi, startFlusher } from "../support/sluice-process.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";
import {
  type Disk,
  type Engine,
  type EngineKinds,
  startDatabase,
  startRedis,
  type Victim,
} from "./engines.ts";
import type { FaultProxy } from "../support/fault-proxy.ts";
import { increment } from "../support/counts.ts";

/** How many processes there are of each role, and how many parts of the buffer, by the kind of Redis. */
const sizes = {
  server: { apis: 2, flushers: 2, partitions: 1 },
  cluster: { apis: 4, flushers: 3, partitions: 8 },
} as const satisfies Record<EngineKinds["redis"], object>;

type Role = "api" | "flusher";

/** A whole Sluice of its own: API processes and flushers, Redis and MariaDB, with proxies where they can be. */
export class System {
  readonly workspace: Workspace;
  /** Where there is one server of each kind: what can be made to refuse. */
  readonly ground: Ground | undefined;
  /** Warnings and errors that the processes logged, and how often. */
  readonly logCounts = new Map<string, number>();
  readonly #redis: Engine;
  readonly #database: Engine;
  readonly #apis: readonly SluiceSlot[];
  readonly #flushers: readonly SluiceSlot[];

  private constructor(engines: Engines, workspace: Workspace, ground: Ground | undefined, counts: Counts) {
    const { redis, database } = engines;
    const { apis, flushers } = counts;
    this.workspace = workspace;
    this.ground = ground;
    this.#redis = redis;
    this.#database = database;
    const env = {
      ...workspace.env,
      ...redis.proxiedEnv,
      ...database.proxiedEnv,
      ...(ground && clerkEnv({ redis: ground.networks.redis.port, mysql: ground.networks.mysql.port })),
      // The minute's flush, often enough for a run that lasts only one.
      FLUSH_CRON: "*/2 * * * * *",
      // More than waits in one parent at a time, also while nothing is flushed.
      NUMBER_GAP_AFTER_LOSS: "10000",
    };
    const slots = (role: Role, count: number) =>
      Array.from({ length: count }, () => new SluiceSlot(role, env, this.logCounts));
    this.#apis = slots("api", apis);
    this.#flushers = slots("flusher", flushers);
  }

  static async start(kinds: EngineKinds): Promise<System> {
    const [redis, database] = await Promise.all([startRedis(kinds.redis), startDatabase(kinds.database)]);
    const { partitions, ...counts } = sizes[kinds.redis];
    const settings = { ...redis.env, ...database.env, PARTITIONS: String(partitions) };
    const workspace = await openWorkspace(settings);
    const engines = { redis, database };
    const system = new System(engines, workspace, await groundOf(engines, workspace), counts);
    // One after the other: on a busy machine none of so many would be there in time.
    for (const process of system.#processes) await process.start();
    return system;
  }

  /** Where each API process answers, or answered last. */
  get urls(): string[] {
    return this.#apis.map(({ url }) => url);
  }

  /** Everything that can be killed. */
  get victims(): readonly Victim[] {
    return [...this.#processes, ...this.#redis.victims, ...this.#database.victims];
  }

  /** The one server of each kind. */
  get servers(): Readonly<Record<EngineName, Victim | undefined>> {
    return { redis: this.#redis.victims[0], mysql: this.#database.victims[0] };
  }

  /** What of Redis' data can be lost. */
  get disks(): readonly Disk[] {
    return this.#redis.disks;
  }

  get proxies(): Readonly<Record<"redis" | "mysql", FaultProxy | undefined>> {
    return { redis: this.#redis.proxy, mysql: this.#database.proxy };
  }

  /** Ends the processes of Sluice; then all they logged is counted. */
  async stopSluice(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.kill()));
  }

  async close(): Promise<void> {
    await this.stopSluice();
    this.ground?.redis.disconnect();
    await this.ground?.sql.destroy();
    await this.workspace.close();
    await this.#redis.close();
    await this.#database.close();
  }

  get #processes(): readonly SluiceSlot[] {
    return [...this.#apis, ...this.#flushers];
  }
}

interface Engines {
  readonly redis: Engine;
  readonly database: Engine;
}

/** Makes one of two single servers, with the user of Sluice in both. */
async function groundOf({ redis, database }: Engines, workspace: Workspace): Promise<Ground | undefined> {
  const [networks, servers] = [
    { redis: redis.proxy, mysql: database.proxy },
    { redis: redis.server, mysql: database.server },
  ];
  if (!networks.redis || !networks.mysql || !servers.redis || !servers.mysql) return undefined;
  const sql = openAdministration(workspace);
  const name = workspace.config.database.name;
  await createClerk(sql, name);
  return {
    // What others write on a connection would keep its end waiting behind a pause.
    redis: quietly(workspace.redis.duplicate()),
    sql,
    database: name,
    engines: { redis: servers.redis, mysql: servers.mysql },
    networks: { redis: networks.redis, mysql: networks.mysql },
  };
}

interface Counts {
  readonly apis: number;
  readonly flushers: number;
}

/** A process of Sluice, and after its death the one that takes its place. */
class SluiceSlot implements Victim {
  readonly kind: Role;
  url = "";
  readonly #env: NodeJS.ProcessEnv;
  readonly #logCounts: Map<string, number>;
  #process: SluiceProcess | undefined;

  constructor(kind: Role, env: NodeJS.ProcessEnv, logCounts: Map<string, number>) {
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
      const cause = err ? wordsOf(err) : typeof reason === "string" ? reason : "";
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

interface ErrorInALog {
  readonly message?: string;
  readonly type?: string;
  readonly code?: string;
  readonly errno?: number;
  readonly stack?: string;
}

/** What an error in a log says; where it says nothing, what it is and where it comes from. */
function wordsOf(error: unknown): string {
  const { message, type, code, errno, stack } = error as ErrorInALog;
  if (message !== undefined && message !== "") return message;
  const origin = stack?.split("\n").slice(1, 4) ?? [];
  return [type, code, errno?.toString(), ...origin].map((part) => part?.trim()).join(" ");
}
