/** Opens what runs need: a database whose tables refuse some texts, a namespace, and connections to both. */
import type { Redis } from "ioredis";
import type { Knex } from "knex";
import type { ConnectionOptions } from "mysql2";

import { IndexServer } from "./index-server.ts";
import { RedisServer } from "./redis-server.ts";
import { MysqlServer } from "./mysql-server.ts";
import { tables } from "./product.ts";
import { openBuffer } from "../../src/buffer/buffer.ts";
import type { Finding } from "../../src/buffer/invariants/finding.ts";
import type { Config } from "../../src/config.ts";
import { checkInvariants } from "../../src/invariants.ts";
import { knexSettings } from "../../src/store/connection.ts";
import { Store } from "../../src/store/store.ts";
import { ofTests } from "../support/sql-guard.ts";
import { unnoticedLosses } from "../support/invariants.ts";
import { openWorkspace } from "../support/workspace.ts";

/** Connections that processes of a run may have at a time. */
const connections = 20;

/** Engines that runs share, one run after the other. */
export interface Stage {
  readonly client: Redis;
  readonly redis: RedisServer;
  readonly mysql: MysqlServer;
  readonly index: IndexServer;
  readonly config: Config;
  /** What the program's own look over the buffer finds, of a system at rest. */
  disorder(): Promise<readonly Finding[]>;
}

export interface OpenStage extends Stage {
  close(): Promise<void>;
}

export async function openStage(): Promise<OpenStage> {
  const workspace = await openWorkspace();
  const { config, redis: client, sql } = workspace;
  for (const [table, column] of [
    ["chats", "title"],
    ["messages", "body"],
  ])
    await sql.raw(
      `alter table ${table} add constraint refuses_${table} check (${column} is null or ${column} not like 'refused%' or ${column} like 'refused large%')`,
    );
  const settings = knexSettings(config.database, "writing");
  const optionsOf = ({ connection }: Knex.Config) => connection as ConnectionOptions;
  const mysql = await MysqlServer.connect(
    optionsOf(settings),
    optionsOf(ofTests(settings)),
    tables,
    connections,
  );
  const redis = new RedisServer(client, config.redis.namespace);
  const limits = { ...config.buffer, thresholds: { chats: 1, messages: 1 } };
  const buffer = await openBuffer({ ...config.redis, limits }, "draining");
  const store = new Store(sql);
  return {
    client,
    redis,
    mysql,
    index: new IndexServer(),
    config,
    disorder: async () => {
      const { findings } = await checkInvariants(buffer, store, { settleMs: 0 });
      return findings.filter(({ kind }) => !unnoticedLosses.includes(kind));
    },
    async close() {
      buffer.close();
      await mysql.close();
      await workspace.close();
    },
  };
}
