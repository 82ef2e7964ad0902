/** Why a drain ends before it has done what its trigger asked for. */
import type { ListName } from "./ports.ts";

/** Another flusher may hold the partition; whoever drains must stop. */
export class LeaseLostError extends Error {
  constructor() {
    super("the lease of the partition was lost");
    this.name = "LeaseLostError";
  }
}

/** The drain was told to stop while it waited out an outage. */
export class DrainStoppedError extends Error {
  constructor() {
    super("the drain was stopped");
    this.name = "DrainStoppedError";
  }
}

/** A batch that cannot be acknowledged, as it is not known what became of every record. */
export class UnbalancedBatchError extends Error {
  constructor(list: ListName, entries: number, accountedFor: number) {
    super(`of a batch of ${entries} ${list}, ${accountedFor} are accounted for; nothing is acknowledged`);
    this.name = "UnbalancedBatchError";
  }
}

/** Thrown where another Redis serves than the one that what is in hand was read from. */
export class AnotherRedisError extends Error {
  constructor() {
    super("another Redis serves the partition by now; what was read is read anew");
    this.name = "AnotherRedisError";
  }
}
