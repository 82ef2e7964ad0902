import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect } from "chai";
import { Redis } from "ioredis";

import { loadConfig } from "../../src/config.ts";
import { migrate } from "../../src/store/migrate.ts";
import { mysqlUsers, redisUsers } from "../support/least-rights.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { withConnection } from "../support/sharded-database.ts";
import { readProjectFile } from "./files.ts";

const file = "deploy/rights/redis.acl";

/** A section of docs/operations.md. */
function section(title: string): string {
  return (readProjectFile("docs/operations.md").split(`\n## ${title}\n`)[1] ?? "").split("\n## ")[0] ?? "";
}

describe("The users in deploy/rights", () => {
  let engine: PrivateEngine | undefined;

  afterEach(async () => {
    await engine?.close();
    engine = undefined;
  });

  it("may call in Redis what the documentation lists, and for backups what it adds", () => {
    const [, list = ""] = /```text\n([^`]*)```/.exec(section("Rights in Redis")) ?? [];
    const documented = list.split(/\s+/).filter((word) => word !== "");
    const ofBackups = ["sync", "replconf", "restore", "pexpireat"];
    for (const command of ofBackups) expect(section("Rights in Redis")).to.include(`\`${command}\``);
    expect(documented.length).to.be.above(50);
    expect(redisUsers().map(({ name, commands }) => [name, commands])).to.deep.equal([
      ["sluice", documented],
      ["sluice_backup", [...documented, ...ofBackups]],
    ]);
  });

  it("are taken by a Redis from the file, and see no keys and channels but those of sluice", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "sluice-rights-"));
    try {
      const users = path.join(folder, "users.acl");
      writeFileSync(users, readProjectFile(file));
      engine = await PrivateEngine.start("redis", ["--aclfile", users]);
      const url = new URL(engine.env["REDIS_URL"] ?? "");
      for (const { name } of redisUsers()) {
        [url.username, url.password] = [name, "change-me"];
        const redis = new Redis(url.href);
        expect(await redis.set("sluice:own", "value")).to.equal("OK");
        for (const refused of [redis.set("theirs", ""), redis.publish("theirs", ""), redis.flushall()])
          expect(String(await refused.catch((error: unknown) => error)), name).to.include("NOPERM");
        redis.disconnect();
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("may do in MySQL what the documentation lists, and migrate", async () => {
    engine = await PrivateEngine.start("database");
    const { database } = loadConfig({ REDIS_URL: "redis://127.0.0.1", ...engine.env });
    await withConnection(database, async (sql) => {
      // The engine has a user of that name already.
      for (const statement of mysqlUsers()) await sql.raw(statement.replaceAll("'sluice", "'given"));
      const as = (username: string) => ({ ...database, username, password: "change me" });
      expect(await migrate(as("given_migrate"))).to.not.deep.equal([]);
      await withConnection(as("given"), async (limited) => {
        const refused: unknown = await limited.schema.dropTable("messages").catch((error: unknown) => error);
        expect(refused).to.have.property("errno", 1142);
      });
    });
    const granted = mysqlUsers().map((statement) => /^grant (.*) on sluice\.\* to/.exec(statement)?.[1]);
    const [toAll = "", more = ""] = section("Rights in MySQL").split("`sluice migrate` needs");
    const rightsIn = (text: string) =>
      [...text.matchAll(/`([A-Z]+)`/g)].map(([, word = ""]) => word.toLowerCase());
    expect(granted.filter((rights) => rights !== undefined)).to.deep.equal([
      rightsIn(toAll).join(", "),
      [...rightsIn(toAll), ...rightsIn(more)].join(", "),
    ]);
  });
});
