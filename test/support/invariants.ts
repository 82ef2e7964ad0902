import type { Knex } from "knex";

import { openBuffer } from "../../src/buffer/buffer.ts";
import type { FindingKind } from "../../src/buffer/invariants/finding.ts";
import type { Config } from "../../src/config.ts";
import { checkInvariants, type Report } from "../../src/invariants.ts";
import { Store } from "../../src/store/store.ts";

/** Nothing is accepted by whoever only looks. */
const limits = {
  maxRecords: 0,
  maxBytes: 0,
  numberGapAfterLoss: 0,
  thresholds: { chats: 1, messages: 1 },
};

/** What says that one store has lost data and that nobody has noticed yet: a test may end there. */
export const unnoticedLosses: readonly FindingKind[] = [
  "epoch-differs",
  "sequence-behind",
  "commits-lost",
  "losses-ahead",
];

/** What is wrong with the buffer of a corner in which nobody is at work any more. */
export async function lookAtRest({ redis }: Config, sql: Knex): Promise<Report> {
  const open = (partitions: number) => openBuffer({ ...redis, partitions, limits }, "draining");
  let buffer = await open(redis.partitions);
  try {
    // A suite may have divided the data anew.
    const noted = await buffer.layout.read();
    if (typeof noted === "number" && noted !== redis.partitions) {
      buffer.close();
      buffer = await open(noted);
    }
    return await checkInvariants(buffer, new Store(sql), { settleMs: 0 });
  } finally {
    buffer.close();
  }
}

/** @throws where something is wrong that was not put out of order on purpose */
export async function requireInvariants(
  config: Config,
  sql: Knex,
  expected: ReadonlySet<FindingKind>,
): Promise<void> {
  const { findings } = await lookAtRest(config, sql);
  const faults = findings.filter(({ kind }) => !expected.has(kind) && !unnoticedLosses.includes(kind));
  if (faults.length === 0) return;
  const shown = faults
    .slice(0, 20)
    .map(({ kind, partition, subject, seen }) => `${kind} {${partition}} ${subject} ${seen}`);
  throw new Error(`The buffer is in disorder:\n${shown.join("\n")}`);
}
