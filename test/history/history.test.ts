import fc from "fast-check";

import { EpochGuard } from "../../src/epoch-guard.ts";
import { openStore } from "../../src/store/store.ts";
import { openTestBuffer, takeLease } from "../support/buffers.ts";
import { Flushing } from "../support/flushing.ts";
import { openWorkspace } from "../support/workspace.ts";
import { History, type Stage } from "./history.ts";
import { steps } from "./steps.ts";

const histories = Number(process.env["SLUICE_TEST_HISTORIES"] ?? 2000);

describe("Any history of posts, updates, deletes, reads and flush steps", function () {
  this.timeout(1_800_000);

  let stage: Stage;

  before(async () => {
    const workspace = await openWorkspace();
    const buffer = await openTestBuffer(workspace, "draining", { maxRecords: 1e6 });
    const changing = await openTestBuffer(workspace, "draining");
    const store = openStore(workspace.config.database, "writing");
    const lease = await takeLease(buffer, 0, 3_600_000);
    const epochs = new EpochGuard(buffer, store, () => undefined);
    const flushing = await Flushing.begin(buffer, store, { lease, epochs });
    stage = { workspace, buffer, changing, store, flushing, epochs };
  });

  after(async () => {
    stage.buffer.close();
    stage.changing.close();
    await stage.store.close();
    await stage.workspace.close();
  });

  it("looks to its readers like a plain list, and leaves just that in MySQL", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        const history = await History.begin(stage);
        for (const [step, look] of taken) {
          await history.take(step);
          await history.take(look);
        }
        await history.finish();
      }),
      { numRuns: histories },
    );
  });
});
