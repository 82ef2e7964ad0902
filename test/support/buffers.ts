import type { AcceptLimits } from "../../src/buffer/accepting.ts";
import { type Buffer, openBuffer } from "../../src/buffer/buffer.ts";
import type { Parent } from "../../src/buffer/references.ts";
import type { Lease } from "../../src/buffer/leases.ts";
import type { Source } from "../../src/flusher/ports.ts";
import type { Workspace } from "./workspace.ts";

/** Room for all that a test accepts, and thresholds it does not reach by accident. */
export const roomyLimits: AcceptLimits = {
  maxRecords: 10_000,
  maxBytes: 1e9,
  numberGapAfterLoss: 1000,
  thresholds: { chats: 1000, messages: 1000 },
};

/** Opens the buffer in a workspace, with other limits where they matter. */
export async function openTestBuffer(
  { config }: Workspace,
  use: "requests" | "draining",
  over: Partial<AcceptLimits> = {},
): Promise<Buffer> {
  return openBuffer({ ...config.redis, limits: { ...roomyLimits, ...over } }, use);
}

/** Makes a parent known that has given numbers up to `greatest`, in a Redis that has lost nothing. */
export async function seed(buffer: Buffer, parent: Parent, greatest: number): Promise<void> {
  const partition = buffer.partitionOf(parent.token);
  const { epoch } = await buffer.epochs.read(partition);
  if (epoch === undefined) await buffer.epochs.begin(partition, "first-epoch", 0, false);
  const reply = await buffer.accepting.seed(parent, { greatest, newestAtMs: 0 });
  if (reply !== "seeded") throw new Error(`the parent was not seeded: ${reply}`);
}

/** The lease of a partition. @throws where another holds it */
export async function takeLease(buffer: Buffer, partition = 0, durationMs = 60_000): Promise<Lease> {
  const lease = await buffer.leases.acquire(partition, "test", durationMs);
  if (!lease) throw new Error("another holds the lease");
  return lease;
}

/** What a drain reads from under a lease, in batches of at most `maxRows`. */
export function sourceOf(buffer: Buffer, lease: Lease, maxRows: number): Source {
  const { partition } = lease;
  return {
    length: (list) => buffer.batches.length(partition, list),
    peek: (list, skip) => buffer.batches.peek(partition, list, skip, { maxRows, maxBytes: 1e6 }),
    stranded: (batch) => buffer.batches.stranded(batch),
    acknowledge: (batch, deaths, totals) => buffer.batches.acknowledge(lease, batch, deaths, totals),
    isPaused: () => buffer.pauses.isPaused(partition),
    remember: (flush) => buffer.recentFlushes.add(flush),
  };
}

/** Removes every key and record of a workspace. */
export async function emptyEngines({ redis, sql, config }: Workspace): Promise<void> {
  const left = await redis.keys(`${config.redis.namespace}:*`);
  if (left.length > 0) await redis.del(left);
  for (const table of ["messages", "chats", "applications", "removals"]) await sql(table).delete();
}
