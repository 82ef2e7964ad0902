import { expect } from "chai";
import { Redis } from "ioredis";
import mysql from "mysql2/promise";
import { startEngines } from "../../embedded/engines.mjs";
import { socketPath } from "../../embedded/mariadb.mjs";
import { scratchDirectory } from "./scratch.ts";

describe("the embedded engines", () => {
  const none = { ...process.env, REDIS_URL: "", DATABASE_HOST: "", SEARCH: "mysql" };

  async function withEngines<T>(
    directory: string,
    work: (redis: Redis, database: mysql.Connection) => Promise<T>,
  ): Promise<T> {
    const failures: Error[] = [];
    const engines = await startEngines({
      directory,
      env: none,
      log: () => undefined,
      signal: new AbortController().signal,
      onFailure: (reason) => failures.push(reason),
    });
    const { addresses } = engines;
    const redis = new Redis(addresses["REDIS_URL"] ?? "");
    try {
      const database = await mysql.createConnection({
        host: addresses["DATABASE_HOST"] ?? "",
        port: Number(addresses["DATABASE_PORT"]),
        user: addresses["DATABASE_USERNAME"] ?? "",
        password: addresses["DATABASE_PASSWORD"] ?? "",
        database: addresses["DATABASE_NAME"] ?? "",
      });
      const result = await work(redis, database);
      await database.end();
      expect(failures).to.be.empty;
      return result;
    } finally {
      redis.disconnect();
      await engines.stop();
    }
  }

  it("keep their data when they are stopped and started again", async () => {
    const directory = scratchDirectory();
    await withEngines(directory, async (redis, database) => {
      await redis.set("kept", "😀");
      await database.query("CREATE TABLE kept (body TEXT)");
      await database.query("INSERT INTO kept VALUES ('😀')");
    });
    await withEngines(directory, async (redis, database) => {
      expect(await redis.get("kept")).to.equal("😀");
      const [rows] = await database.query("SELECT body FROM kept");
      expect(rows).to.deep.equal([{ body: "😀" }]);
    });
  });

  it("are set up to lose nothing that was accepted", async () => {
    await withEngines(scratchDirectory(), async (redis, database) => {
      expect(await redis.config("GET", "maxmemory-policy")).to.include("noeviction");
      expect(await redis.config("GET", "appendonly")).to.include("yes");
      const [rows] = await database.query(
        "SELECT @@innodb_flush_log_at_trx_commit AS durable, @@collation_server AS collation, @@time_zone AS zone",
      );
      expect(rows).to.deep.equal([{ durable: 1, collation: "utf8mb4_unicode_ci", zone: "+00:00" }]);
    });
  });

  it("let nobody in without the password", async () => {
    await withEngines(scratchDirectory(), async (redis, database) => {
      const stranger = new Redis(redis.options.port ?? 0, { lazyConnect: true });
      stranger.on("error", () => undefined);
      const refusal = await stranger.get("x").catch(String);
      stranger.disconnect();
      expect(refusal).to.include("NOAUTH");
      const { port } = database.config;
      for (const user of ["root", "sluice"]) {
        const refused = await mysql
          .createConnection({ host: "127.0.0.1", port: port ?? 0, user })
          .catch(String);
        expect(refused).to.include("Access denied");
      }
    });
  });

  it("are not started when the environment names others", async () => {
    const { addresses, stop } = await startEngines({
      directory: scratchDirectory(),
      env: {
        REDIS_URL: "redis://elsewhere:6379",
        DATABASE_HOST: "elsewhere",
        ELASTICSEARCH_URL: "http://elsewhere:9200",
      },
      log: () => undefined,
      signal: new AbortController().signal,
      onFailure: () => undefined,
    });
    expect(addresses).to.deep.equal({});
    await stop();
  });

  it("have a Unix socket whose path the kernel takes, however long the folder's is", () => {
    expect(socketPath("/short")).to.equal("/short/mariadb.sock");
    expect(socketPath(`/${"long/".repeat(40)}`).length).to.be.below(108);
  });
});
