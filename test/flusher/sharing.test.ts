import { expect } from "chai";

import type { Buffer } from "../../src/buffer/buffer.ts";
import { openTestBuffer, seed } from "../support/buffers.ts";
import { operationIdOf, requestOf } from "../support/requests.ts";
import { type SluiceProcess, startFlusher } from "../support/sluice-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const partitions = 8;

describe("Flushers that share eight partitions", () => {
  let workspace: Workspace;
  let buffer: Buffer;
  const running: SluiceProcess[] = [];

  before(async () => {
    workspace = await openWorkspace({ PARTITIONS: String(partitions), FLUSH_CRON: "* * * * * *" });
    // Chats of applications that MySQL does not have.
    workspace.expectFindings("parent-missing");
    buffer = await openTestBuffer(workspace, "draining");
  });

  after(async () => {
    await Promise.all(running.map((flusher) => flusher.end("SIGKILL")));
    buffer.close();
    await workspace.close();
  });

  async function start(): Promise<SluiceProcess> {
    const flusher = await startFlusher(workspace.env);
    running.push(flusher);
    return flusher;
  }

  async function end(flusher: SluiceProcess, signal: NodeJS.Signals): Promise<void> {
    running.splice(running.indexOf(flusher), 1);
    await flusher.end(signal);
  }

  /** How many partitions each flusher that runs holds, the most first. */
  async function held(): Promise<number[]> {
    const owners = await buffer.leases.owners(partitions);
    const of = ({ child }: SluiceProcess) =>
      owners.filter((owner) => owner?.includes(`:${String(child.pid)}#`)).length;
    return running.map(of).sort((one, other) => other - one);
  }

  const untilHeld = (...counts: number[]) =>
    waitFor(async () => (await held()).join() === counts.join(), { what: `shares of ${counts.join()}` });

  let serial = 0;
  /** Accepts a chat in each partition and waits until all of them are in MySQL. */
  async function drainEverywhere(): Promise<void> {
    const tokens = new Map<number, string>();
    for (let at = 0; tokens.size < partitions; at += 1) tokens.set(buffer.partitionOf(`t${at}`), `t${at}`);
    for (const token of tokens.values()) {
      serial += 1;
      await seed(buffer, { token }, 0);
      await buffer.accepting.accept({ token }, requestOf(operationIdOf(serial), null));
    }
    await waitFor(
      async () => ((await workspace.sql("chats").select("number")) as unknown[]).length === serial,
      {
        what: `${serial} chats in MySQL`,
      },
    );
  }

  it("hold 3, 3 and 2 of them, each drained", async () => {
    await start();
    await untilHeld(8);
    await Promise.all([start(), start()]);
    await untilHeld(3, 3, 2);
    await drainEverywhere();
  });

  it("take over, 4 and 4, when one is killed", async () => {
    const [victim] = running;
    if (!victim) throw new Error("no flusher runs");
    await end(victim, "SIGKILL");
    await untilHeld(4, 4);
    await drainEverywhere();
  });

  it("leave one that comes its share, and go on draining meanwhile", async () => {
    const [coming] = await Promise.all([start(), drainEverywhere()]);
    await untilHeld(3, 3, 2);
    await coming.logged("draining this partition");
    await drainEverywhere();
  });

  it("take over when one is stopped, with no need to wait for its lease to run out", async () => {
    const [leaving] = running;
    if (!leaving) throw new Error("no flusher runs");
    await end(leaving, "SIGTERM");
    await untilHeld(4, 4);
    await drainEverywhere();
    expect(running.flatMap(({ log }) => log.filter(({ level }) => level === "error"))).to.deep.equal([]);
  });
});
