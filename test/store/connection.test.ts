import { expect } from "chai";
import knex, { type Knex } from "knex";

import { knexSettings } from "../../src/store/connection.ts";
import { ofTests } from "../support/sql-guard.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

describe("A connection to MySQL", () => {
  let workspace: Workspace;
  let pool: Knex;

  before(async () => {
    workspace = await openWorkspace();
    const settings = knexSettings(workspace.config.database, "writing");
    pool = knex(ofTests({ ...settings, pool: { ...settings.pool, min: 0, max: 1 } }));
  });

  after(async () => {
    await pool.destroy();
    await workspace.close();
  });

  const connectionId = async () => {
    const [[row]] = (await pool.raw("select connection_id() as id")) as [[{ id: number }]];
    return row.id;
  };

  const fails = async (statement: string) => {
    const outcome: unknown = await pool.raw(statement).catch((error: unknown) => error);
    expect(outcome).to.be.an("error");
  };

  it("is kept after a statement that failed", async () => {
    const id = await connectionId();
    await fails("select missing from applications");
    expect(await connectionId()).to.equal(id);
  });

  it("is given up when its transaction could not be ended, and another takes its place", async () => {
    const id = await connectionId();
    // An end that every server refuses; a front refuses others.
    await fails("rollback to savepoint missing");
    expect(await connectionId()).to.not.equal(id);
  });

  it("that is lost with its transaction gives the statement's error, not that of the rollback", async () => {
    const failed: unknown = await pool
      .transaction(async (transaction) => {
        const [[row]] = (await transaction.raw("select connection_id() as id")) as [[{ id: number }]];
        const failure: unknown = await transaction
          .raw("insert into settings (name, content) values (?, 'x')", ["n".repeat(65)])
          .catch((error: unknown) => error);
        await workspace.sql.raw("kill ?", [row.id]);
        throw failure;
      })
      .catch((error: unknown) => error);
    expect(failed).to.have.property("errno", 1406);
  });

  it("sends no statement that is larger than the server takes, and is kept", async () => {
    const id = await connectionId();
    const [[{ bytes } = { bytes: 0 }]] = (await pool.raw("select @@max_allowed_packet as bytes")) as [
      [{ bytes: number }?],
    ];
    const text = "x".repeat(bytes);
    const failed: unknown = await pool.raw("select length(?)", [text]).catch((error: unknown) => error);
    expect(failed).to.include({ errno: 1153, code: "ER_NET_PACKET_TOO_LARGE" });
    const [rows] = (await pool.raw("select length(?) as bytes", [text.slice(500)])) as [{ bytes: number }[]];
    expect(rows).to.deep.equal([{ bytes: bytes - 500 }]);
    expect(await connectionId()).to.equal(id);
  });
});
