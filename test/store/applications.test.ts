import { expect } from "chai";

import type { Buffer } from "../../src/buffer/buffer.ts";
import { createChanger } from "../../src/http/change.ts";
import { createReader } from "../../src/http/read-after-write.ts";
import type { Changer } from "../../src/http/services.ts";
import { Applications } from "../../src/store/applications.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { openTestBuffer } from "../support/buffers.ts";
import { Flushing } from "../support/flushing.ts";
import { untilHeldUp, untilNoneIsHeldUp } from "../support/lock-waits.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const once = { key: "one key", fingerprint: "f".repeat(64) };
const statusOf = (call: Promise<unknown>) =>
  call.then(
    () => 200,
    (error: unknown) => (error as { status?: number }).status ?? error,
  );

describe("An application in MySQL", () => {
  let workspace: Workspace;
  let store: Store;
  let buffer: Buffer;
  let change: Changer;

  beforeEach(async () => {
    workspace = await openWorkspace();
    store = openStore(workspace.config.database, "requests");
    buffer = await openTestBuffer(workspace, "draining");
    change = changerOn(store);
  });

  afterEach(async () => {
    buffer.close();
    await store.close();
    await workspace.close();
  });

  const changerOn = (on: Store) => createChanger(buffer, on, createReader(buffer, on));
  const stored = async () => workspace.sql("applications").pluck("token");
  const removals = async () => workspace.sql("removals").select("application_token", "finished_at");

  async function removeAll(): Promise<void> {
    const flushing = await Flushing.begin(buffer, store);
    while (await flushing.removeSome());
    await buffer.leases.release(flushing.lease);
  }

  describe("whose POST is repeated under its Idempotency-Key", () => {
    const post = () => change.createApplication("Shop", once);

    it("is answered as before and not made anew after it was deleted", async () => {
      const first = await post();
      await change.deleteApplication(first.application.token);
      expect(await post()).to.deep.equal({ ...first, isReplayed: true });
      expect(await stored()).to.deep.equal([]);
      expect(await statusOf(change.deleteApplication(first.application.token))).to.equal(404);
    });

    it("is not made anew after its removal was finished, nor by a Redis that forgot the mark", async () => {
      const first = await post();
      const { token } = first.application;
      await change.deleteApplication(token);
      await removeAll();
      expect(await store.removals.list(10)).to.deep.equal([]);
      await workspace.redis.del(`${workspace.config.redis.namespace}:{0}:counter:${token}`);
      expect(await post()).to.deep.equal({ ...first, isReplayed: true });
      expect(await stored()).to.deep.equal([]);
    });

    it("is not made anew by a repetition that waits for the deletion", async () => {
      const { token } = (await post()).application;
      let [deleted, repeated] = [Promise.resolve<unknown>(undefined), Promise.resolve<unknown>(undefined)];
      await workspace.sql.transaction(async (barrier) => {
        // Nobody can note a removal before this transaction ends.
        await barrier("removals").where({ application_token: token }).forUpdate().first();
        deleted = change.deleteApplication(token);
        await untilHeldUp(workspace, "insert into `removals`%");
        repeated = post();
        await untilHeldUp(workspace, "insert into `applications`%");
      });
      await deleted;
      expect(await repeated).to.include({ isReplayed: true });
      expect(await stored()).to.deep.equal([]);
    });

    it("is not made anew by a first call that comes after its repetition and the deletion", async () => {
      const nowhere = openStore({ ...workspace.config.database, port: 1 }, "requests");
      expect(await statusOf(changerOn(nowhere).createApplication("Shop", once))).to.equal(503);
      await nowhere.close();
      const { application } = await post();
      await change.deleteApplication(application.token);
      await store.applications.createOnce(application, 0);
      expect(await stored()).to.deep.equal([]);
    });

    it("is made where the first call never reached MySQL", async () => {
      const nowhere = openStore({ ...workspace.config.database, port: 1 }, "requests");
      expect(await statusOf(changerOn(nowhere).createApplication("Shop", once))).to.equal(503);
      await nowhere.close();
      const { application, isReplayed } = await post();
      expect(isReplayed).to.equal(true);
      expect(await stored()).to.deep.equal([application.token]);
    });

    it("is not answered 201 where a UNIQUE index that is not Sluice's refuses it", async () => {
      await workspace.sql.raw("alter table applications add unique key one_name (name)");
      await change.createApplication("Shop");
      expect([await statusOf(post()), await statusOf(post())]).to.deep.equal([503, 503]);
      await workspace.sql.raw("alter table applications drop key one_name");
      const { application } = await post();
      expect(await stored()).to.include(application.token);
    });

    it("is made once by calls at the same time, whichever of them is first", async () => {
      const answers = await Promise.all(Array.from({ length: 8 }, post));
      expect(new Set(answers.map(({ application }) => application.token))).to.have.property("size", 1);
      expect(answers.filter(({ isReplayed }) => !isReplayed)).to.have.lengthOf(1);
      expect(await stored()).to.have.lengthOf(1);
    });
  });

  it("is deleted by one of two DELETEs at the same time, and the other is answered 404", async () => {
    const { token } = (await change.createApplication("Shop")).application;
    let statuses: Promise<unknown>[] = [];
    await workspace.sql.transaction(async (barrier) => {
      await barrier("applications").where({ token }).forUpdate().first();
      statuses = [1, 2].map(() => statusOf(change.deleteApplication(token)));
      await untilHeldUp(workspace, "%`applications`%", 2);
    });
    expect((await Promise.all(statuses)).sort()).to.deep.equal([200, 404]);
    expect(await removals()).to.deep.equal([{ application_token: token, finished_at: null }]);
  });

  it("and others are each deleted once by many DELETEs at a time", async () => {
    const tokens: string[] = [];
    for (let at = 0; at < 10; at += 1) {
      tokens.push((await change.createApplication("Shop")).application.token);
    }
    const thrice = [...tokens, ...tokens, ...tokens];
    const statuses = await Promise.all(thrice.map((token) => statusOf(change.deleteApplication(token))));
    expect(statuses.filter((status) => status === 200)).to.have.lengthOf(10);
    expect(statuses.filter((status) => status === 404)).to.have.lengthOf(20);
    expect(await stored()).to.deep.equal([]);
  });

  it("leaves its removal for two days after its end, and then goes when another ends", async () => {
    const [old, recent, last] = await Promise.all(
      ["old", "recent", "last"].map((name) => change.createApplication(name)),
    );
    const tokens = [old, recent, last].map((created) => created?.application.token ?? "");
    for (const token of tokens.slice(0, 2)) await change.deleteApplication(token);
    await removeAll();
    const age = (token: string, hours: number) =>
      workspace
        .sql("removals")
        .where({ application_token: token })
        .update({ finished_at: new Date(Date.now() - hours * 3_600_000) });
    await age(tokens[0] ?? "", 49);
    await age(tokens[1] ?? "", 47);
    await change.deleteApplication(tokens[2] ?? "");
    await removeAll();
    const left = (await removals()) as { application_token: string; finished_at: Date | null }[];
    expect(left.map((row) => row.application_token)).to.have.members(tokens.slice(1));
    expect(left.every((row) => row.finished_at !== null)).to.equal(true);
  });

  it("is renamed by each call in its turn, also by a process whose clock is behind", async () => {
    const { token } = (await change.createApplication("first")).application;
    const name = async () => (await store.reads.application(token))?.name;
    const behind = new Date(Date.now() - 3_600_000);
    await store.applications.rename(token, "second", new Date());
    await store.applications.rename(token, "third", behind);
    expect(await name()).to.equal("third");
    const names = Array.from({ length: 8 }, (_, at) => `name ${at}`);
    await Promise.all(names.map((one) => store.applications.rename(token, one, new Date())));
    expect(names).to.include(await name());
  });

  it("keeps its name where the statement of an earlier rename, which was given up, comes late", async () => {
    const { token } = (await change.createApplication("first")).application;
    const name = async () => (await store.reads.application(token))?.name;
    await workspace.sql.transaction(async (barrier) => {
      await barrier("applications").where({ token }).forUpdate().first();
      const given = statusOf(change.updateApplication(token, "given up"));
      await untilHeldUp(workspace, "update `applications`%given up%");
      expect(await given).to.equal(503);
      await new Applications(barrier).rename(token, "second", new Date());
    });
    await untilNoneIsHeldUp(workspace, "update `applications`%given up%");
    expect(await name()).to.equal("second");
  });
});
