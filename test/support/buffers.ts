import type { AcceptLimits } from "../../src/buffer/accepting.ts";
import { type Buffer, openBuffer } from "../../src/buffer/buffer.ts";
import type { Parent } from "../../src/buffer/references.ts";
import type { Lease } from "../../src/buffer/leases.ts";
import { resumeAbove } from "../../src/numbering.ts";
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
  if (epoch === undefined) await buffer.epochs.beginFirst(partition, "first-epoch");
  const load = await buffer.accepting.beginLoad(parent, "ticket");
  if (load.kind === "known") return;
  if (load.kind !== "loading") throw new Error(`the parent cannot be loaded: ${load.kind}`);
  const above = resumeAbove([{ greatest, losses: load.losses }, load.buffered], load.losses, 0);
  const reply = await buffer.accepting.seed(parent, load, above);
  if (reply !== "seeded") throw new Error(`the parent was not seeded: ${reply}`);
}

/** Begins an epoch as after a loss. */
export async function beginEpoch(
  buffer: Buffer,
  epoch: string,
  losses: number,
  partition = 0,
): Promise<void> {
  const { word, flushSequence } = await buffer.epochs.beginComparison(partition, "word");
  await buffer.epochs.begin(partition, { epoch, flushSequence, losses, touched: 0 }, true, word);
}

/** The lease of a partition. @throws where another holds it */
export async function takeLease(buffer: Buffer, partition = 0, durationMs = 60_000): Promise<Lease> {
  const lease = await buffer.leases.acquire(partition, "test", durationMs);
  if (!lease) throw new Error("another holds the lease");
  return lease;
}

/** Removes every key and record of a workspace. */
export async function emptyEngines({ redis, sql, config }: Workspace): Promise<void> {
  const left = await redis.keys(`${config.redis.namespace}:*`);
  if (left.length > 0) await redis.del(left);
  for (const table of ["messages", "chats", "applications", "removals", "partitions"])
    await sql(table).delete();
}
