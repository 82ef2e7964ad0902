import { randomBytes } from "node:crypto";
import { hostname } from "node:os";

import type { Buffer } from "../buffer/buffer.ts";
import type { Leases } from "../buffer/leases.ts";
import type { Trouble } from "../buffer/processes.ts";
import type { Peer, Sight } from "./fair-share.ts";
import { LeaseTurns } from "./lease-turns.ts";
import type { Clock, FlushLog } from "./ports.ts";

/** What flushers share by leases of their own. */
type Work = "draining" | "indexing";

/** One flusher among those that share the partitions: says that it lives, and sees who else does. */
export class Membership {
  /** Names this flusher in its leases: host, process, and a word that no other process there had. */
  readonly owner = `${hostname()}:${process.pid}#${randomBytes(4).toString("hex")}`;
  readonly #buffer: Buffer;
  readonly #log: FlushLog;
  readonly #standsBackFrom = new Set<number>();
  #endBeats: () => Promise<void>;
  #hasLeft = false;

  /** `troubleOf` tells the others, and people, what this flusher last met. */
  constructor(
    buffer: Buffer,
    log: FlushLog,
    { keepsIndex = false, troubleOf = (): Trouble | undefined => undefined } = {},
  ) {
    this.#buffer = buffer;
    this.#log = log;
    this.#endBeats = buffer.processes.announce("flusher", () => {
      const trouble = troubleOf();
      const sharing = { owner: this.owner, keepsIndex, standsBackFrom: [...this.#standsBackFrom] };
      return { sharing, ...(trouble && { trouble }) };
    });
  }

  /** The turns of this flusher at partitions to drain. */
  turnsAtDraining(clock: Clock): LeaseTurns {
    const { leases, heads } = this.#buffer;
    return new LeaseTurns({
      look: async () => {
        for (const partition of this.#standsBackFrom) {
          if (!(await heads.areOfOtherVersion(partition))) this.#standsBackFrom.delete(partition);
        }
        return this.#see("draining", leases);
      },
      mayTake: async (partition) => {
        if (!(await heads.areOfOtherVersion(partition))) return true;
        this.standBack(partition);
        return false;
      },
      clock,
      log: this.#log,
    });
  }

  /** The turns of this flusher at parts of the search index to write. */
  turnsAtIndexing(clock: Clock): LeaseTurns {
    const { indexLeases } = this.#buffer;
    const look = () => this.#see("indexing", indexLeases);
    return new LeaseTurns({ look, mayTake: () => Promise.resolve(true), clock, log: this.#log });
  }

  /** Leaves a partition to a flusher that can read its next records, until those are gone. */
  standBack(partition: number): void {
    if (this.#standsBackFrom.has(partition)) return;
    this.#standsBackFrom.add(partition);
    const message =
      "records of another version of Sluice wait here: they are left to a flusher that can read them";
    this.#log.warn({ partition }, message);
  }

  /** From then on the others share without this flusher; it still counts as a process that runs. */
  async leave(): Promise<void> {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    await this.#endBeats();
    this.#endBeats = this.#buffer.processes.announce("flusher");
  }

  /** Says that this flusher has ended. */
  async end(): Promise<void> {
    await this.#endBeats();
  }

  async #see(work: Work, leases: Leases): Promise<Sight> {
    const [processes, owners] = await Promise.all([
      this.#buffer.processes.list(),
      leases.owners(this.#buffer.partitions),
    ]);
    const others = processes.flatMap(({ sharing }): Peer[] => {
      if (!sharing || sharing.owner === this.owner || (work === "indexing" && !sharing.keepsIndex)) return [];
      const standsBackFrom = new Set(work === "draining" ? sharing.standsBackFrom : []);
      return [{ owner: sharing.owner, standsBackFrom }];
    });
    const standsBackFrom = work === "draining" ? this.#standsBackFrom : nothing;
    const mine = this.#hasLeft ? [] : [{ owner: this.owner, standsBackFrom }];
    return { me: this.owner, peers: [...mine, ...others].sort(byOwner), owners };
  }
}

const nothing: ReadonlySet<number> = new Set();

function byOwner(one: Peer, other: Peer): number {
  return one.owner < other.owner ? -1 : Number(one.owner > other.owner);
}
