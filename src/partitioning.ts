/**
 * Sees to it that all processes divide the data into the same number of partitions. A record lies where its
 * token's hash says, so with another number none would be found. MySQL knows the number; Redis repeats it, so
 * that a process can start while MySQL is away.
 */
import type { Buffer } from "./buffer/buffer.ts";
import type { Store } from "./store/store.ts";

/** Thrown where the data is divided into another number of partitions than the environment says. */
export class PartitionsError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "PartitionsError";
  }
}

const unfinished = (to?: number) =>
  new PartitionsError(
    `A change of the number of partitions was not finished: run \`sluice repartition ${to ?? "N"}\` again.`,
  );

const mismatch = (found: number, wanted: number) =>
  new PartitionsError(
    `The data is divided into ${found} partitions, and PARTITIONS is ${wanted}. Start with PARTITIONS=${found}. ` +
      "To change the number: stop the API, run `sluice flush`, stop the flushers, " +
      `run \`sluice repartition ${wanted}\`, and start with PARTITIONS=${wanted}.`,
  );

/**
 * Notes the number where the data is new, and repeats in Redis what MySQL knows. Says before it looks that this process
 * runs, as a change of the number is noted before it is looked who runs: one of the two sees the other.
 *
 * @throws {PartitionsError} where it is another
 * @throws {BufferUnavailableError} or MySQL's error, where it cannot be known
 */
export async function agreeOnPartitions(buffer: Buffer, store: Store): Promise<void> {
  await buffer.processes.say();
  const change = await store.layout.unfinished();
  if (change) throw unfinished(change.to);
  const known = await buffer.layout.read();
  const agreed = await store.layout.agree(typeof known === "number" ? known : buffer.partitions);
  if (agreed !== buffer.partitions) throw mismatch(agreed, buffer.partitions);
  if (known !== agreed) await buffer.layout.note(agreed);
}

/** What Redis alone says; asked in the same order. @throws {PartitionsError} where that is another number */
export async function requirePartitions(buffer: Buffer): Promise<"known" | "unknown"> {
  await buffer.processes.say();
  const known = await buffer.layout.read();
  if (known === "changing") throw unfinished();
  if (known !== undefined && known !== buffer.partitions) throw mismatch(known, buffer.partitions);
  return known === undefined ? "unknown" : "known";
}
