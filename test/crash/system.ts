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
import type { FaultProxy } from "./fault-proxy.ts";
import { increment } from "./counts.ts";

/** How many processes there are of each role, and how many parts of the buffer, by the kind of Redis. */
const sizes = {
  server: { apis: 2, flushers: 2, partitions: 1 },
  cluster: { apis: 4, flushers: 3, partitions: 8 },
} as const satisfies Record<EngineKinds["redis"], object>;

type Role = "api" | "flusher";

/** A whole Sluice of its own: API processes and flushers, Redis and MariaDB, with proxies where they can be. */
export class System {
  readonly workspace: Workspace;
  /** Warnings and errors that the processes logged, and how often. */
  readonly logCounts = new Map<string, number>();
  readonly #redis: Engine;
  readonly #database: Engine;
  readonly #apis: readonly SluiceSlot[];
  readonly #flushers: readonly SluiceSlot[];

  private constructor(redis: Engine, database: Engine, workspace: Workspace, { apis, flushers }: Counts) {
    this.workspace = workspace;
    this.#redis = redis;
    this.#database = database;
    const env = {
      ...workspace.env,
      ...redis.proxiedEnv,
      ...database.proxiedEnv,
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
    const system = new System(redis, database, await openWorkspace(settings), counts);
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
    await this.workspace.close();
    await this.#redis.close();
    await this.#database.close();
  }

  get #processes(): readonly SluiceSlot[] {
    return [...this.#apis, ...this.#flushers];
  }
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

/** What an error in a log says; where it says nothing, what it is and where it comes from. */
function wordsOf(error: unknown): string {
  const { message = "", type, stack } = error as { message?: string; type?: string; stack?: string };
  if (message !== "") return message;
  const origin = (stack ?? "").split("\n").slice(1, 4);
  return [type, ...origin].map((line) => line?.trim()).join(" ");
}
