import type { Suite } from "mocha";

import type { Knex } from "knex";

import { findSpider } from "../../embedded/spider-home.mjs";
import { loadConfig } from "../../src/config.ts";
import { PrivateEngine } from "./private-engines.ts";
import { backEndsVariable, statementsIn, withConnection } from "./sharded-database.ts";

const settling = new URL("../../deploy/spider/settle.sql", import.meta.url);

/** One address in three spellings: the front tells transactions of back ends apart by host, whatever the port. */
const hosts = ["127.0.0.1", "127.1", "127.0.1"] as const;

// Four servers on one machine, most of them with little in them.
const everyServer = ["--innodb-buffer-pool-size=64M"];

/** As docs/scale-out.md has them. */
const frontSettings = [
  "--plugin-load-add=ha_spider.so",
  "--server-id=1",
  "--event-scheduler=ON",
  "--spider-internal-xa=ON",
  "--spider-direct-dup-insert=1",
  "--spider-direct-aggregate=0",
  "--spider-conn-recycle-mode=0",
  "--spider-connect-timeout=2",
  "--spider-connect-retry-count=0",
  "--spider-net-read-timeout=15",
  "--spider-net-write-timeout=15",
];

const backEndSettings = ["--innodb-lock-wait-timeout=5"];

/** A MariaDB whose tables lie, spread by the application's token, on three others. */
export class SpiderCluster {
  readonly front: PrivateEngine;
  readonly backEnds: readonly PrivateEngine[];

  private constructor(front: PrivateEngine, backEnds: readonly PrivateEngine[]) {
    this.front = front;
    this.backEnds = backEnds;
  }

  /** @throws where Spider has not been fetched; a suite asks before, by `describeWithSpider` */
  static async start(): Promise<SpiderCluster> {
    const found = findSpider(process.env);
    if ("lack" in found) throw new Error(found.lack);
    const started = await Promise.allSettled([
      PrivateEngine.start("database", [...everyServer, ...frontSettings, `--plugin-dir=${found.plugins}`]),
      ...hosts.map(() => PrivateEngine.start("database", [...everyServer, ...backEndSettings])),
    ]);
    const engines = started.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
    const [front, ...backEnds] = engines;
    try {
      if (!front || backEnds.length < hosts.length) throw new Error("a server of Spider did not start");
      const cluster = new SpiderCluster(front, backEnds);
      await cluster.#introduceBackEnds();
      return cluster;
    } catch (error) {
      for (const engine of engines) await engine.close();
      throw error;
    }
  }

  /** What a workspace, and a run of the tests, needs to use it. */
  get env(): NodeJS.ProcessEnv {
    const backEnds = JSON.stringify(this.backEnds.map(({ env }) => env));
    return { ...this.front.env, [backEndsVariable]: backEnds };
  }

  /** Stops all of it and removes its data. */
  async close(): Promise<void> {
    await Promise.all([this.front, ...this.backEnds].map((engine) => engine.close()));
  }

  /** Asks each back end by itself. */
  async onEachBackEnd<T>(database: string, ask: (sql: Knex) => Promise<T>): Promise<T[]> {
    return Promise.all(this.backEnds.map(({ env }) => withConnection(databaseAt(env, database), ask)));
  }

  async #introduceBackEnds(): Promise<void> {
    await withConnection(databaseAt(this.front.env), async (sql) => {
      for (const [at, { port, env }] of this.backEnds.entries()) {
        await sql.raw(
          `create server ?? foreign data wrapper mysql options (host ?, port ${port}, user ?, password ?)`,
          [`b${at + 1}`, hosts[at] ?? "", env["DATABASE_USERNAME"] ?? "", env["DATABASE_PASSWORD"] ?? ""],
        );
      }
      for (const statement of statementsIn(settling)) await sql.raw(statement);
    });
  }
}

function databaseAt(env: NodeJS.ProcessEnv, name = env["DATABASE_NAME"]) {
  return loadConfig({ ...env, DATABASE_NAME: name, REDIS_URL: "redis://none" }).database;
}

/** A suite that starts a Spider for itself; counted as skipped where it was not fetched. */
export function describeWithSpider(title: string, body: (this: Suite) => void): void {
  const found = findSpider(process.env);
  if ("lack" in found) describe.skip(`${title} (skipped: ${found.lack}; npm run fetch:spider)`, body);
  else describe(title, body);
}
