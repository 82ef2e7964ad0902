import { openBuffer, type Buffer } from "../../src/buffer/buffer.ts";
import { increment } from "../support/counts.ts";
import { FaultProxy } from "../support/fault-proxy.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { type SluiceProcess, startApi, startFlusher } from "../support/sluice-process.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";
import { clerkEnv, createClerk, openAdministration, redisArguments } from "./ground.ts";
import type { Ground } from "./refusal.ts";

/** Real engines, two API processes and a flusher, who come to the engines with few rights and through proxies. */
export class Stage {
  readonly workspace: Workspace;
  readonly ground: Ground;
  readonly urls: readonly string[];
  readonly buffer: Buffer;
  readonly #processes: readonly SluiceProcess[];

  private constructor(
    workspace: Workspace,
    ground: Ground,
    buffer: Buffer,
    running: { urls: readonly string[]; processes: readonly SluiceProcess[] },
  ) {
    this.workspace = workspace;
    this.ground = ground;
    this.buffer = buffer;
    this.urls = running.urls;
    this.#processes = running.processes;
  }

  static async start(): Promise<Stage> {
    const [redis, mysql] = await Promise.all([
      PrivateEngine.start("redis", redisArguments),
      PrivateEngine.start("database"),
    ]);
    const networks = { redis: await FaultProxy.to(redis.port), mysql: await FaultProxy.to(mysql.port) };
    // What would wait for the minute is flushed each second.
    const workspace = await openWorkspace({ ...redis.env, ...mysql.env, FLUSH_CRON: "* * * * * *" });
    const sql = openAdministration(workspace);
    const database = workspace.config.database.name;
    await createClerk(sql, database);
    const env = {
      ...workspace.env,
      ...clerkEnv({ redis: networks.redis.port, mysql: networks.mysql.port }),
    };
    const apis = [await startApi(env), await startApi(env)];
    const processes = [...apis.map(({ process }) => process), await startFlusher(env)];
    const ground = { redis: workspace.redis, sql, database, engines: { redis, mysql }, networks };
    return new Stage(workspace, ground, await openBufferOf(workspace), {
      urls: apis.map(({ url }) => url),
      processes,
    });
  }

  /** What the processes have logged at error level, and how often. */
  get errors(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { level, msg } of this.#processes.flatMap(({ log }) => log))
      if (level === "error" || level === "fatal") increment(counts, msg);
    return counts;
  }

  /** Ends everything; the engines' data go with them. @throws where the buffer is in disorder */
  async close(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.end("SIGKILL")));
    this.buffer.close();
    await this.ground.sql.destroy();
    try {
      await this.workspace.close();
    } finally {
      const { engines, networks } = this.ground;
      for (const network of Object.values(networks)) await network.close();
      for (const engine of Object.values(engines)) await engine.close();
    }
  }
}

async function openBufferOf({ config }: Workspace): Promise<Buffer> {
  const thresholds = { chats: config.flush.chatThreshold, messages: config.flush.messageThreshold };
  return openBuffer({ ...config.redis, limits: { ...config.buffer, thresholds } }, "draining");
}
