import { once } from "node:events";

import { expect } from "chai";
import type { Knex } from "knex";

import type { Config } from "../../src/config.ts";
import { migrate } from "../../src/store/migrate.ts";
import { openStore } from "../../src/store/store.ts";
import { SluiceProcess } from "../support/sluice-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const rounds = Number(process.env["SLUICE_TEST_ROUNDS"] ?? 3);
const last = "0008_add_sender_and_metadata";

describe("Several that migrate at a time", () => {
  let workspace: Workspace;
  let database: Config["database"];

  beforeEach(async () => {
    workspace = await openWorkspace();
    database = workspace.migrated;
  });

  afterEach(() => workspace.close());

  const migrateThrice = () => Promise.all([1, 2, 3].map(() => migrate(database)));

  async function expectMigrated(): Promise<void> {
    const store = openStore(database, "writing");
    expect(await store.isMigrated().finally(() => store.close())).to.equal(true);
    expect(await migrate(database)).to.deep.equal([]);
  }

  /** Begins something that meets a lock of the last migration's table; answers when its ALTER waits. */
  async function whileTableIsLocked(begin: () => Promise<void>): Promise<void> {
    await workspace.sql("knex_migrations").where({ name: last }).delete();
    await workspace.sql.raw("alter table messages drop column sender, drop column metadata");
    await workspace.sql.transaction(async (reader: Knex.Transaction) => {
      await reader("messages").first("application_token");
      await begin();
    });
  }

  const running = async (pattern: string) => {
    const [rows] = (await workspace.sql.raw(
      "select id from information_schema.processlist where db = ? and id <> connection_id() and lower(info) like ?",
      [database.name, pattern],
    )) as [unknown[]];
    return rows.length;
  };
  const altering = () => running("%alter table messages%");
  const waiting = () => running("select get_lock%");

  it("wait for the first, on a server that knows nothing of Sluice yet", async () => {
    for (let round = 0; round < rounds; round += 1) {
      await workspace.sql.raw("drop database ??", [database.name]);
      const done = await migrateThrice();
      expect(done.filter((names) => names.length > 0)).to.have.length(1);
      await expectMigrated();
    }
    // What was connected to the database that was dropped has none.
    await workspace.sql.destroy();
    workspace.sql.initialize();
  });

  it("wait for one that is in the middle of it", async () => {
    let all: Promise<(readonly string[])[]> | undefined;
    await whileTableIsLocked(async () => {
      all = migrateThrice();
      await waitFor(async () => (await altering()) === 1 && (await waiting()) === 2, { what: "two to wait" });
    });
    expect((await all)?.flat()).to.deep.equal([last]);
    await expectMigrated();
  });

  it("do the rest of what one began that was killed", async () => {
    await whileTableIsLocked(async () => {
      const killed = new SluiceProcess(["migrate"], workspace.env);
      await waitFor(async () => (await altering()) === 1, { what: "a migration to run" });
      const exited = once(killed.child, "exit");
      killed.child.kill("SIGKILL");
      await exited;
    });
    expect((await migrateThrice()).flat()).to.deep.equal([last]);
    await expectMigrated();
  });
});
