import type { Redis } from "ioredis";
import knex, { type Knex } from "knex";

import type { FindingKind } from "../../src/buffer/invariants/finding.ts";
import { loadConfig, type Config } from "../../src/config.ts";
import { knexSettings } from "../../src/store/connection.ts";
import { requireInvariants } from "./invariants.ts";
import { leastRightsVariable, makeUsers, removeUsers } from "./least-rights.ts";
import { workspaceName } from "./run-name.ts";
import { backEndsVariable, createDatabase, dropDatabase } from "./sharded-database.ts";
import { ofTests } from "./sql-guard.ts";
import { connectToRedis } from "./test-redis.ts";

/** A corner of the test engines that belongs to one suite: a database and a key namespace of its own. */
export interface Workspace {
  /** What a process of Sluice needs to work in this corner. */
  readonly env: NodeJS.ProcessEnv;
  readonly config: Config;
  /** The database as whoever migrates comes to it. */
  readonly migrated: Config["database"];
  readonly sql: Knex;
  readonly redis: Redis;
  /** Says what the suite has put out of order on purpose: nothing else may be wrong in the end. */
  expectFindings(...kinds: readonly FindingKind[]): void;
  /** Removes everything the suite left, and fails where it has left the buffer in disorder. */
  close(): Promise<void>;
}

/**
 * Makes a fresh, migrated corner in the engines the environment names, or in others. `sql` and `redis` may do all; with
 * `SLUICE_TEST_LEAST_RIGHTS` what is in `env` and `config` may do there what an operator is told to allow.
 */
export async function openWorkspace(settings: NodeJS.ProcessEnv = {}): Promise<Workspace> {
  const name = workspaceName();
  const ofAll = {
    ...engineAddresses(process.env, settings),
    PORT: "0",
    RATE_LIMIT_PER_MINUTE: "0",
    // A flusher would make up for the tick before it started, in the middle of what is tested.
    COUNTS_CRON: "off",
    BACKUP_CRON: "off",
    CLEANUP_CRON: "off",
    ...settings,
    DATABASE_NAME: name,
    REDIS_NAMESPACE: name,
  };
  await createDatabase(ofAll);
  const { database, redis: unlimited } = loadConfig(ofAll);
  const sql = knex(ofTests(knexSettings(database, "writing")));
  const redis = connectToRedis(unlimited.url);
  const hasUsers = Boolean(process.env[leastRightsVariable]);
  const env = { ...ofAll, ...(hasUsers && (await makeUsers(name, ofAll, { redis, sql }))) };
  const config = loadConfig(env);
  const expected = new Set<FindingKind>();
  return {
    env,
    config,
    migrated: database,
    sql,
    redis,
    expectFindings(...kinds) {
      for (const kind of kinds) expected.add(kind);
    },
    async close() {
      try {
        await requireInvariants(config, sql, expected);
      } finally {
        const keys = await redis.keys(`${name}:*`);
        if (keys.length > 0) await redis.del(keys);
        if (hasUsers) await removeUsers(name, { redis, sql });
        redis.disconnect();
        await sql.destroy();
        await dropDatabase(ofAll);
      }
    },
  };
}

/** Where the run's engines are; another database than the run's has no back ends, or names its own. */
function engineAddresses(env: NodeJS.ProcessEnv, settings: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const ofRun = (name: string) =>
    name === "REDIS_URL" ||
    name === "PARTITIONS" ||
    name.startsWith("DATABASE_") ||
    (name === backEndsVariable && settings["DATABASE_PORT"] === undefined);
  const names = Object.keys(env).filter(ofRun);
  return Object.fromEntries(names.map((name) => [name, env[name]]));
}
