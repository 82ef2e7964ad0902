import { getEventListeners } from "node:events";

import { expect } from "chai";

import { TriggerMailbox } from "../../src/flusher/trigger-mailbox.ts";

describe("The triggers' mailbox", () => {
  let mailbox: TriggerMailbox;
  let stop: AbortController;

  beforeEach(() => {
    mailbox = new TriggerMailbox();
    stop = new AbortController();
  });

  const take = () => mailbox.take(stop.signal);

  it("keeps what came while nobody looked, each kind once", async () => {
    for (const trigger of ["threshold", "minute", "threshold", "minute"] as const) mailbox.post(trigger);
    expect(await take()).to.equal("minute");
    expect(await take()).to.equal("threshold");
    const third = take();
    stop.abort();
    expect(await third).to.equal(undefined);
  });

  it("gives the most urgent first", async () => {
    for (const trigger of ["threshold", "minute", "manual"] as const) mailbox.post(trigger);
    expect([await take(), await take(), await take()]).to.deep.equal(["manual", "minute", "threshold"]);
  });

  it("wakes whoever waits", async () => {
    const waiting = take();
    mailbox.post("threshold");
    expect(await waiting).to.equal("threshold");
  });

  it("lets nothing slip between two takes", async () => {
    for (let round = 0; round < 100; round += 1) {
      const waiting = take();
      if (round % 2 === 0) await Promise.resolve();
      mailbox.post("threshold");
      mailbox.post("manual");
      const first = await waiting;
      const second = await take();
      expect([first, second].sort()).to.deep.equal(["manual", "threshold"]);
    }
  });

  it("gives nothing once its signal aborts, whether it waits or not", async () => {
    const waiting = take();
    stop.abort();
    expect(await waiting).to.equal(undefined);
    mailbox.post("manual");
    expect(await take()).to.equal(undefined);
  });

  it("gives to the next reader what a stopped one did not take", async () => {
    const waiting = take();
    stop.abort();
    await waiting;
    mailbox.post("minute");
    expect(await mailbox.take(new AbortController().signal)).to.equal("minute");
  });

  it("leaves no listener on a signal that outlives many waits", async () => {
    for (let round = 0; round < 50; round += 1) {
      const waiting = take();
      mailbox.post("threshold");
      await waiting;
    }
    expect(getEventListeners(stop.signal, "abort")).to.have.lengthOf(0);
  });
});
