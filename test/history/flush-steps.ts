import type { Buffer } from "../../src/buffer/buffer.ts";
import type { Lease } from "../../src/buffer/leases.ts";
import type { Batch, Death, PendingEntry } from "../../src/buffer/batch.ts";
import { writeIsolating } from "../../src/flusher/isolate.ts";
import { rowsIn } from "../../src/store/outcome.ts";
import type { Flushing } from "../support/flushing.ts";

/**
 * One flush as the flusher makes it, stopped after each of its steps, so that a test can do something in
 * between: messages are read, chats drained, messages written, messages acknowledged. MySQL refuses those
 * messages of which `refuses` says so.
 */
export async function* flushSteps(
  buffer: Buffer,
  { lease, sink }: Pick<Flushing, "lease" | "sink">,
  maxRows: number,
  refuses: (message: PendingEntry) => boolean,
): AsyncGenerator<string, void> {
  const peek = (list: Batch["list"]) =>
    buffer.batches.peek(lease.partition, list, 0, { maxRows, maxBytes: 1_000_000 });
  const messages = await peek("messages");
  yield "messages read";
  for (let waiting = await buffer.batches.length(lease.partition, "chats"); waiting > 0;) {
    const chats = await peek("chats");
    yield "chats read";
    requireAll(chats, rowsIn(await sink.write("chats", chats.entries)));
    yield "chats written";
    await acknowledge(buffer, lease, chats);
    waiting -= chats.references.length;
    yield "chats acknowledged";
  }
  const doomed = new Set<unknown>(messages.entries.filter(refuses));
  const { outcome, refused } = await writeIsolating(
    (rows: readonly PendingEntry[]) =>
      rows.some((row) => doomed.has(row)) ? Promise.reject(refusal()) : sink.write("messages", rows),
    messages.entries,
  );
  requireAll(messages, rowsIn(outcome) + refused.size);
  yield "messages written";
  const deaths = Array.from(refused, ([row, reason]) => [row, { kind: "refused", reason }] as const);
  await acknowledge(buffer, lease, messages, new Map(deaths));
}

function requireAll(batch: Batch, rows: number): void {
  if (rows !== batch.entries.length) throw new Error(`${rows} of ${batch.entries.length} accounted for`);
}

/** What MySQL says of a row whose content it does not take. */
function refusal(): Error {
  return Object.assign(new Error("injected"), { code: "ER_DATA_TOO_LONG", errno: 1406 });
}

async function acknowledge(
  buffer: Buffer,
  lease: Lease,
  batch: Batch,
  deaths: ReadonlyMap<PendingEntry, Death> = new Map(),
): Promise<void> {
  const { kind } = await buffer.batches.acknowledge(lease, batch, deaths, new Map());
  if (kind !== "acknowledged") throw new Error(`the ack was refused: ${kind}`);
}
