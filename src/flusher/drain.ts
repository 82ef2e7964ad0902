/**
 * The drain of one partition, batch by batch:
 *
 *     peek ─▶ write (INSERT, COMMIT) ─▶ acknowledge
 *
 * While a batch is being written, the one before it is acknowledged and then the one after it is read. So at
 * most two batches are in MySQL and still in the buffer.
 *
 * Nothing leaves the buffer before MySQL has committed it, so a crash at any arrow loses nothing; a batch
 * written twice is told by its operation ids. An outage at either side is waited out here, for as long as it
 * takes, with the batch in hand. A record that MySQL refuses is told from its neighbours by halving the batch,
 * and becomes a dead letter. Any other failure ends the drain; the batch is then where it was.
 *
 * A message's chat is written before it: a batch of messages is read, then all chats that wait are drained
 * (each of its chats was accepted earlier than it), then it is written.
 */
import type { Batch, Death, PendingEntry } from "../buffer/batch.ts";
import { strayReason } from "../buffer/batch.ts";
import type { Flush } from "../buffer/recent-flushes.ts";
import { contentBytes } from "../records/records.ts";
import { withoutWords } from "../store/failure.ts";
import { rowsIn, type WriteOutcome } from "../store/outcome.ts";
import { after, type DrainProgress, gatherMs, wantsAnother, worthReadingAhead } from "./batch.ts";
import { DrainStoppedError, LeaseLostError, UnbalancedBatchError } from "./drain-errors.ts";
import { totalsOf } from "./flush-totals.ts";
import { writeIsolating } from "./isolate.ts";
import { Patience } from "./patience.ts";
import type { Clock, FlushLog, ListName, Sink, Source, Trigger } from "./ports.ts";

/** How often chats are drained for messages in hand, while one that was refused is changed and listed again. */
const triesOfParents = 5;

/** A batch that is in MySQL, but for what died. */
interface Written {
  readonly batch: Batch;
  readonly trigger: Trigger;
  readonly durationMs: number;
  readonly totals: ReadonlyMap<string, number>;
  readonly deaths: ReadonlyMap<PendingEntry, Death>;
}

export interface DrainParts {
  readonly source: Source;
  readonly sink: Sink;
  readonly clock: Clock;
  readonly log: FlushLog;
  readonly thresholds: Readonly<Record<ListName, number>>;
  readonly maxRows: number;
  /** Aborts between batches, and any wait. */
  readonly signal: AbortSignal;
  /**
   * Whether the lease can still be held; asked just before each write. A process that was paused for longer
   * must not write what it had in hand: another may have written, and a client deleted it since.
   */
  readonly isHeld: () => boolean;
}

export class Drain {
  readonly #parts: DrainParts;
  readonly #patience: Patience;

  constructor(parts: DrainParts) {
    this.#parts = parts;
    this.#patience = new Patience(parts);
  }

  /**
   * Flushes what the trigger asks for, chats and messages; answers how many rows were written.
   *
   * @throws {LeaseLostError} {DrainStoppedError} or what MySQL said of a batch it will not take
   */
  async run(trigger: Trigger): Promise<number> {
    const extent = trigger === "threshold" ? "to-threshold" : "what-waited";
    const chats = await this.#drain("chats", trigger, extent);
    const messages = await this.#drain("messages", trigger, extent);
    return chats + messages;
  }

  /** Flushes one batch, the head of a list; answers how many references were taken off it. */
  async flushOnce(list: ListName, trigger: Trigger): Promise<number> {
    const batch = await this.#peek(list, 0);
    const stranded = await this.#flushParentsOf(batch, trigger);
    const written = await this.#write(batch, stranded, trigger);
    return (await this.#acknowledge(written)) ? batch.references.length : 0;
  }

  async #drain(
    list: ListName,
    trigger: Trigger,
    extent: DrainProgress["extent"],
    isParents = false,
  ): Promise<number> {
    const { thresholds, maxRows, signal } = this.#parts;
    const waitingAtStart = await this.#length(list);
    const threshold = thresholds[list];
    let progress: DrainProgress = { extent, threshold, waitingAtStart, taken: 0, waiting: waitingAtStart };
    // What was read while the batch before it was written, and that batch, which is still to be acknowledged.
    let held: { readonly ahead: Batch; readonly behind: Written } | undefined;
    // The chats of messages in hand are written also while flushing is paused: those messages follow.
    const mayGoOn = async () => !signal.aborted && (isParents || !(await this.#isPaused()));
    try {
      while (wantsAnother(progress) && (await mayGoOn())) {
        const batch: Batch = held?.ahead ?? (await this.#gather(list, progress));
        const stranded = await this.#flushParentsOf(batch, trigger);
        const { length } = batch.references;
        const isFollowed = worthReadingAhead(progress, length, maxRows);
        const before = held?.behind;
        held = undefined;
        const [behind, ahead] = await allOver([
          this.#write(batch, stranded, trigger),
          this.#acknowledgeAndPeek(before, batch, isFollowed),
        ]);
        held = ahead && { ahead, behind };
        progress = after(progress, length);
        if (held) continue;
        await this.#acknowledge(behind);
        progress = { ...progress, waiting: await this.#length(list) };
      }
    } finally {
      if (held) await this.#acknowledge(held.behind);
    }
    return progress.taken;
  }

  /**
   * While a batch is being written: acknowledges the one before it, then reads the one after it. One after the
   * other, as an ack shortens the list, and what is read meanwhile would have moved; nothing where the list may
   * not begin with the batch that is being written, and where nothing follows that this flusher can read.
   */
  async #acknowledgeAndPeek(
    behind: Written | undefined,
    { list, references }: Batch,
    isFollowed: boolean,
  ): Promise<Batch | undefined> {
    const isInPlace = behind === undefined || (await this.#acknowledge(behind));
    const ahead = isInPlace && isFollowed ? await this.#peek(list, references.length) : undefined;
    return ahead?.references.length === 0 ? undefined : ahead;
  }

  /** Writes the chats of messages in hand; answers which of these then cannot be written, as their chat was not. */
  async #flushParentsOf(batch: Batch, trigger: Trigger): Promise<ReadonlySet<PendingEntry>> {
    if (batch.list !== "messages") return new Set();
    for (let attempt = 1; ; attempt += 1) {
      await this.#drain("chats", trigger, "what-waited", true);
      // Stopped before all chats were drained: the messages must wait for them.
      if (this.#parts.signal.aborted) throw new DrainStoppedError();
      const { messages, mayPass } = await this.#patience.through(() => this.#parts.source.stranded(batch));
      if (!mayPass || attempt === triesOfParents) return messages;
    }
  }

  async #gather(list: ListName, { extent, waiting }: DrainProgress): Promise<Batch> {
    const ms = gatherMs(extent, waiting, this.#parts.maxRows);
    if (ms > 0) await this.#parts.clock.sleep(ms, this.#parts.signal);
    return this.#peek(list, 0);
  }

  #length(list: ListName): Promise<number> {
    return this.#patience.through(() => this.#parts.source.length(list));
  }

  #isPaused(): Promise<boolean> {
    return this.#patience.through(() => this.#parts.source.isPaused());
  }

  #peek(list: ListName, skip: number): Promise<Batch> {
    return this.#patience.through(() => this.#parts.source.peek(list, skip));
  }

  /** Resolves when it is known of every record that it is committed, or why it cannot be. */
  async #write(batch: Batch, stranded: ReadonlySet<PendingEntry>, trigger: Trigger): Promise<Written> {
    const { sink, clock, log, isHeld } = this.#parts;
    const startedAtMs = clock.nowMs();
    const all = batch.entries.filter((entry) => !stranded.has(entry));
    const { outcome, refused } = await writeIsolating(
      (rows: readonly PendingEntry[]) =>
        this.#patience.through(
          () => {
            if (!isHeld()) throw new LeaseLostError();
            return sink.write(batch.list, rows);
          },
          // What does not pass for the whole of the batch is not waited for with each part of it.
          { mayPass: rows === all },
        ),
      all,
    );
    const durationMs = clock.nowMs() - startedAtMs;
    const accountedFor = rowsIn(outcome) + refused.size + stranded.size;
    if (accountedFor !== batch.entries.length) {
      throw new UnbalancedBatchError(batch.list, batch.entries.length, accountedFor);
    }
    const { conflicts, ...counts } = outcome;
    const fields = { trigger, list: batch.list, ...counts, durationMs };
    log.debug({ ...fields, conflicts: conflicts.length, refused: refused.size }, "written");
    const refusals = refused.size + faultsOf(batch).length;
    const totals = totalsOf(trigger, outcome, refusals, durationMs);
    const deaths = new Map([
      ...Array.from(stranded, (entry) => [entry, refusal("its chat was refused")] as const),
      ...Array.from(refused, ([entry, reason]) => [entry, refusal(reason)] as const),
      ...conflictsIn(batch, outcome),
    ]);
    return { batch, trigger, durationMs, totals, deaths };
  }

  /** Whether this ack took the batch off the list; false where an earlier one had. */
  async #acknowledge({ batch, deaths, totals, ...written }: Written): Promise<boolean> {
    const { source, log } = this.#parts;
    const reply = await this.#patience.through(() => source.acknowledge(batch, deaths, totals));
    if (reply.kind === "lease-lost") throw new LeaseLostError();
    for (const { reason } of [...deaths.values(), ...faultsOf(batch)]) {
      log.error(
        { list: batch.list, reason: withoutWords(reason) },
        "a record became a dead letter; see `sluice dead-letters`",
      );
    }
    if (reply.kind !== "acknowledged") return false;
    // For people only: the flush is done whether it is remembered or not.
    await source.remember(flushOf(batch, written)).catch((error: unknown) => {
      log.debug({ err: error }, "a flush is not remembered");
    });
    return true;
  }
}

/** Resolves when both are over, and only then throws what one of them threw: nothing goes on by itself. */
async function allOver<A, B>(both: [Promise<A>, Promise<B>]): Promise<[A, B]> {
  await Promise.allSettled(both);
  return Promise.all(both);
}

function flushOf(batch: Batch, written: Pick<Written, "trigger" | "durationMs">): Flush {
  const { list, partition, entries } = batch;
  const bytes = entries.reduce((sum, { record }) => sum + contentBytes(record), 0);
  return { ...written, at: new Date(), partition, list, rows: entries.length, bytes };
}

/** Why each entry of a batch that nobody can read is set aside. */
function faultsOf({ unreadable, strays }: Batch): readonly { readonly reason: string }[] {
  return [...unreadable, ...strays.map(() => ({ reason: strayReason }))];
}

/** The entries whose number another record holds. */
function conflictsIn(batch: Batch, { conflicts }: WriteOutcome): (readonly [PendingEntry, Death])[] {
  const rows = new Set<unknown>(conflicts);
  const death: Death = { kind: "conflict", reason: "conflict: another record holds this number" };
  return batch.entries.filter((entry) => rows.has(entry)).map((entry) => [entry, death] as const);
}

function refusal(reason: string): Death {
  return { kind: "refused", reason };
}
