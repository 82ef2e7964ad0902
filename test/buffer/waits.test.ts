import { expect } from "chai";

import { operationIdOf, requestOf } from "../support/requests.ts";
import { waitFor } from "../support/wait-for.ts";
import { BatchStage, chat } from "./batch-stage.ts";

const hoursMs = 2 * 3_600_000;

describe("How long the oldest pending record has waited", () => {
  let stage: BatchStage;
  let serial = 0;

  beforeEach(async () => {
    stage = await BatchStage.open();
  });

  afterEach(async () => {
    await stage.close();
  });

  /** Accepts messages as an API does whose clock is off. */
  async function accept(count: number, clockOffMs: number): Promise<void> {
    for (let nth = 0; nth < count; nth += 1) {
      serial += 1;
      const request = requestOf(operationIdOf(serial), "text", Date.now() + clockOffMs);
      expect(await stage.buffer.accepting.accept(chat, request)).to.have.property("kind", "accepted");
    }
  }

  const waits = async () => (await stage.buffer.totals.read(0)).waits;
  const acknowledgeOne = async () => {
    await stage.acknowledge(await stage.peek(0, { maxRows: 1, maxBytes: 1e6 }));
  };
  /** As of now, by a clock that runs beside Redis'. */
  const since = (startedAt: number) => performance.now() - startedAt;

  for (const [name, offMs] of [
    ["behind", -hoursMs],
    ["ahead", hoursMs],
  ] as const) {
    it(`is what Redis' clock says, where the clock of an API is two hours ${name}`, async () => {
      const before = performance.now();
      await accept(3, offMs);
      const after = performance.now();
      const found = await waitFor(async () => (await waits()).oldestMs > 300 && waits(), {
        what: "0.3 seconds",
      });
      expect(found.oldestMs).to.be.within(300, since(before) + 1);
      const [least, { oldestMs, stalledMs }] = [since(after), await waits()];
      expect(oldestMs).to.be.within(least - 1, since(before) + 1);
      expect(stalledMs).to.equal(oldestMs);
    });

    it(`stays so in a list that is never empty, where that clock is two hours ${name}`, async () => {
      await accept(2, offMs);
      const startedAt = performance.now();
      // Each time the one goes that was there, and another one stays.
      for (let round = 0; since(startedAt) < 600; round += 1) {
        await acknowledgeOne();
        await accept(1, offMs);
      }
      const beforeAck = performance.now();
      await acknowledgeOne();
      await accept(1, offMs);
      await acknowledgeOne();
      const { oldestMs, stalledMs } = await waits();
      expect(oldestMs).to.be.within(0, since(beforeAck) + 1);
      expect(stalledMs).to.be.within(0, oldestMs);
    });
  }

  it("is that of a record that a backlog keeps waiting, while nothing stalls", async () => {
    await accept(20, 0);
    const startedAt = performance.now();
    await waitFor(() => since(startedAt) > 300, { what: "0.3 seconds" });
    await acknowledgeOne();
    const acknowledgedAt = performance.now();
    const { oldestMs, stalledMs } = await waits();
    expect(oldestMs).to.be.at.least(299);
    expect(stalledMs).to.be.within(0, since(acknowledgedAt) + 20);
  });

  it("is nothing where none is pending, and begins anew with the next", async () => {
    await accept(1, 0);
    await acknowledgeOne();
    expect(await waits()).to.deep.equal({ oldestMs: 0, stalledMs: 0 });
    const before = performance.now();
    await accept(1, -hoursMs);
    expect((await waits()).oldestMs).to.be.within(0, since(before) + 1);
  });

  it("begins with a change of a stored record as well", async () => {
    await accept(1, 0);
    await acknowledgeOne();
    const before = performance.now();
    await stage.changeStored(1, "changed");
    expect((await waits()).oldestMs).to.be.within(0, since(before) + 1);
  });
});
