import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { endLeftovers } from "../../embedded/guarded.mjs";
import { holderOf, takeLock } from "../../embedded/lock.mjs";
import { thisProcess } from "../../embedded/processes.mjs";
import { scratchDirectory } from "./scratch.ts";

/** What a process that had our number before us would have written about itself. */
const predecessor = JSON.stringify({ pid: process.pid, startedAt: "1" });

describe("what a killed launcher leaves behind", () => {
  it("is no reason to end a process that was given the number of a dead one", async () => {
    const directory = scratchDirectory();
    const pidFile = path.join(directory, "redis.pid");
    writeFileSync(pidFile, predecessor);
    const lines: string[] = [];
    await endLeftovers(directory, (line) => lines.push(line));
    expect(lines).to.be.empty;
    expect(existsSync(pidFile)).to.equal(false);
  });

  it("holds no lock, not even under a number that is in use again", () => {
    const file = path.join(scratchDirectory(), "lock");
    for (const stale of [predecessor, '{"pid":99999999,"startedAt":"1"}', '{"pid"', ""]) {
      writeFileSync(file, stale);
      expect(holderOf(file)).to.equal(undefined);
      expect(takeLock(file)).to.have.property("release");
    }
  });
});

describe("a lock", () => {
  it("is refused, with its holder's name, until that lets go", () => {
    const file = path.join(scratchDirectory(), "lock");
    const lock = takeLock(file);
    expect(takeLock(file)).to.deep.equal({ holder: thisProcess() });
    if ("release" in lock) lock.release();
    expect(takeLock(file)).to.have.property("release");
  });
});
