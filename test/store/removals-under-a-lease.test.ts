import { expect } from "chai";

import { openBuffer } from "../../src/buffer/buffer.ts";
import { newRecord } from "../../src/records/records.ts";
import { FencedOffError } from "../../src/store/fence.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { roomyLimits, takeLease } from "../support/buffers.ts";
import { Flushing } from "../support/flushing.ts";
import { untilHeldUp } from "../support/lock-waits.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const ignore = () => undefined;
const at = new Date("2026-01-02T03:04:05.678Z");

describe("A removal", () => {
  let workspace: Workspace;
  let store: Store;

  beforeEach(async () => {
    workspace = await openWorkspace();
    store = openStore(workspace.config.database, "writing");
  });

  afterEach(async () => {
    await store.close();
    await workspace.close();
  });

  const isConflict = (error: unknown) => (error as { readonly errno?: number }).errno === 1020;
  const fenceOf = (lease: string) => ({ partition: 0, lease, mark: undefined, confirm: () => undefined });
  const openPartedBuffer = () =>
    openBuffer({ ...workspace.config.redis, partitions: 2, limits: roomyLimits }, "draining");

  it("does not end beneath a batch that another flusher has written meanwhile", async () => {
    const { sql } = workspace;
    await sql("removals").insert({ application_token: "application", chat_number: 2, created_at: at });
    await store.epochs.begin(0, { epoch: "epoch", flushSequence: 0, losses: 0 });
    const [sleeper, holder] = [fenceOf("sleeper"), fenceOf("holder")];
    await store.writes.claim(sleeper);
    const removal = { token: "application", chatNumber: 2 };
    let end = Promise.resolve<unknown>(undefined);
    await sql.transaction(async (barrier) => {
      await barrier("removals").where({ application_token: "application" }).forUpdate();
      end = store.removals.step(removal, 1000, sleeper).catch((error: unknown) => error);
      await untilHeldUp(workspace, "update `removals` set `finished_at`%");
      await store.writes.claim(holder);
      const record = newRecord("operation0000000", 1000, "accepted before the deletion");
      const row = { ...removal, number: 1, origin: "pending" as const, record };
      await store.writes.writeMessages([row], { ...holder, mark: undefined, confirm: ignore });
    });
    // MariaDB, from 11.6, refuses to lock what changed since its snapshot. A flusher repeats that, as any conflict.
    const [first, again] = [await end, () => store.removals.step(removal, 1000, sleeper)];
    const error = isConflict(first) ? await again().catch((reason: unknown) => reason) : first;
    expect(error).to.be.instanceOf(FencedOffError);
    expect(await store.removals.list(10)).to.deep.equal([removal]);
    expect(await sql("messages").select("chat_number", "number")).to.deep.equal([
      { chat_number: 2, number: 1 },
    ]);
    expect([
      await store.removals.step(removal, 1000, holder),
      await store.removals.step(removal, 1000, holder),
    ]).to.deep.equal([false, true]);
    expect(await sql("messages").select("number")).to.deep.equal([]);
  });

  it("finds those of a partition behind thousands of another's", async () => {
    const parted = await openPartedBuffer();
    workspace.expectFindings("misplaced");
    try {
      const tokens = Array.from({ length: 9000 }, (_, number) => `token${String(number).padStart(5, "0")}`);
      const others = tokens.filter((token) => parted.partitionOf(token) === 0).slice(0, 2500);
      const last = tokens.filter((token) => parted.partitionOf(token) === 1).at(-1) ?? "";
      expect(last > (others.at(-1) ?? "")).to.equal(true);
      const rows = [...others, last].map((token) => ({
        application_token: token,
        chat_number: 0,
        created_at: at,
      }));
      await workspace.sql.batchInsert("removals", rows, 1000);
      const flushing = await Flushing.begin(parted, store, { lease: await takeLease(parted, 1) });
      expect(await flushing.removeSome()).to.equal(false);
      const left = await workspace.sql("removals").whereNull("finished_at").pluck("application_token");
      expect(left).to.have.members(others);
    } finally {
      parted.close();
    }
  });
});
