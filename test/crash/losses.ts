import { setTimeout as pause } from "node:timers/promises";

import type { Buffer } from "../../src/buffer/buffer.ts";
import type { StoreEvent } from "../observed/recorded.ts";
import type { Recorder } from "../observed/recorder.ts";
import { waitFor } from "../support/wait-for.ts";
import type { Workspace } from "../support/workspace.ts";
import type { Copies, Disk } from "./engines.ts";
import type { Fault, Strike } from "./faults.ts";
import type { Random } from "../support/random.ts";

/** How much seldomer than other faults. */
const rarity = 3;
const name = "losses";

/** Loses what Redis has, and puts it back to what it was. */
export class Losses {
  readonly #workspace: Workspace;
  readonly #buffer: Buffer;
  readonly #recorder: Recorder;
  /** How far Redis had counted the flushes when its copy was made, at most. */
  #copied: number | undefined;

  constructor(workspace: Workspace, buffer: Buffer, recorder: Recorder) {
    this.#workspace = workspace;
    this.#buffer = buffer;
    this.#recorder = recorder;
  }

  faultsOf(disk: Disk): Fault[] {
    const fault = (what: string, strike: Strike): Fault => ({
      name: what,
      rarity,
      target: disk.victim,
      strike,
    });
    const lose = fault("lose all of redis", (random) => this.#exchange(disk, random, "lose", disk.lose));
    const { copies } = disk;
    if (!copies) return [lose];
    return [
      lose,
      fault("copy redis", (random) => this.#copy(disk, random, copies)),
      fault("put redis back to the copy", (random) => this.#putBack(disk, random, copies)),
    ];
  }

  async #copy(disk: Disk, random: Random, copies: Copies): Promise<void> {
    await this.#exchange(disk, random, "copy", copies.save);
    // Read after it, and so no less than what the copy has.
    const epoch = await waitFor(() => this.#buffer.epochs.read(0), { what: "a Redis that was copied" });
    this.#copied = epoch.flushSequence;
  }

  /** Nobody can notice that a copy is older which was flushed since: then its numbers are given again, as is said. */
  async #putBack(disk: Disk, random: Random, copies: Copies): Promise<void> {
    const stored = await this.#flushed().catch(() => 0);
    if (this.#copied === undefined || stored <= this.#copied) return;
    await this.#exchange(disk, random, "put back", copies.putBack);
  }

  async #flushed(): Promise<number> {
    const row: { flush_sequence: number } | undefined = await this.#workspace
      .sql("partitions")
      .first("flush_sequence");
    return row?.flush_sequence ?? 0;
  }

  async #exchange(disk: Disk, random: Random, what: StoreEvent["do"], exchange: () => void): Promise<void> {
    const beganMs = performance.now();
    await disk.victim.kill();
    exchange();
    await pause(random.integer(0, 1000));
    await disk.victim.start();
    this.#recorder.note(name, { do: what }, beganMs);
  }
}
