import { existsSync } from "node:fs";

import { withDotenv } from "../../embedded/dotenv.mjs";
import { loadConfig } from "../../src/config.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { withConnection } from "../support/sharded-database.ts";
import { connectToRedis } from "../support/test-redis.ts";

/** A Redis and a MySQL, and what their servers say they are. */
export interface Pair {
  readonly env: NodeJS.ProcessEnv;
  readonly redis: string;
  readonly database: string;
  /** Ends those of them that were started for the pair. */
  close(): Promise<void>;
}

/**
 * The engines that a file names as `.env` does, or else the environment; what neither names is started.
 *
 * @throws where there is no such file, or an engine cannot be reached
 */
export async function openPair(file: string | undefined): Promise<Pair> {
  if (file !== undefined && !existsSync(file)) throw new Error("there is no such file");
  const named = { ...process.env, ...(file !== undefined && withDotenv(file, {})) };
  const started: PrivateEngine[] = [];
  const close = async () => {
    for (const engine of started) await engine.close();
  };
  try {
    if (!named["REDIS_URL"]) started.push(await PrivateEngine.start("redis"));
    if (!named["DATABASE_HOST"]) started.push(await PrivateEngine.start("database"));
    const env = Object.assign({}, named, ...started.map((engine) => engine.env)) as NodeJS.ProcessEnv;
    return { env, redis: await redisVersion(env), database: await databaseVersion(env), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function redisVersion(env: NodeJS.ProcessEnv): Promise<string> {
  const redis = connectToRedis(loadConfig(env).redis.url);
  try {
    const info = await redis.info("server");
    const [, valkey] = /^valkey_version:(\S+)/m.exec(info) ?? [];
    const [, version = "?"] = /^redis_version:(\S+)/m.exec(info) ?? [];
    return valkey === undefined ? `Redis ${version}` : `Valkey ${valkey}`;
  } finally {
    redis.disconnect();
  }
}

async function databaseVersion(env: NodeJS.ProcessEnv): Promise<string> {
  return withConnection({ ...loadConfig(env).database, name: "" }, async (sql) => {
    const [[row]] = (await sql.raw("select version() as version")) as [[{ version: string }?]];
    const version = row?.version ?? "?";
    const [number = "?"] = version.split("-");
    return `${version.includes("MariaDB") ? "MariaDB" : "MySQL"} ${number}`;
  });
}
