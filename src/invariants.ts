/**
 * Looks whether what must hold of the buffer does: that each record is listed once, that totals are sums, that no counter is
 * behind what was numbered, in Redis or in MySQL. Never on the way of a request.
 */
import { setTimeout as delay } from "node:timers/promises";

import type { Buffer } from "./buffer/buffer.ts";
import { type Finding, identityOf, type Looked } from "./buffer/invariants/finding.ts";
import type { CounterFacts, ParentFacts } from "./buffer/invariants/parent-facts.ts";
import type { PartitionState } from "./buffer/invariants/partition-state.ts";
import { type Parent, parentOf, parentPath } from "./buffer/references.ts";
import { OtherVersionError, UnreadableRecordError } from "./records/payload.ts";
import type { StoredEpoch } from "./store/epochs.ts";
import { throughContention } from "./store/contention.ts";
import type { Store } from "./store/store.ts";

export interface CheckOptions {
  /** Between two looks, where the first finds something: what passes by is gone by then. 0 for a system at rest. */
  readonly settleMs: number;
  /** Told of each key that a look has come to. */
  readonly onKeys?: (count: number) => void;
  readonly signal?: AbortSignal;
}

export interface Report {
  readonly findings: readonly Finding[];
  readonly looked: Looked;
}

/**
 * What is wrong with the buffer, by itself and beside MySQL. Others may be at work: what is found is there at two looks, the
 * very same. Partitions of which MySQL does not know yet are looked at by themselves.
 *
 * @throws {BufferUnavailableError} or MySQL's error, where it cannot be known
 */
export async function checkInvariants(buffer: Buffer, store: Store, options: CheckOptions): Promise<Report> {
  const first = await lookOnce(buffer, store, options);
  if (first.findings.length === 0) return first;
  await delay(options.settleMs, undefined, options.signal && { signal: options.signal });
  const second = await lookOnce(buffer, store, options);
  const seenBefore = new Set(first.findings.map(identityOf));
  const findings = new Map(second.findings.map((finding) => [identityOf(finding), finding]));
  return {
    looked: second.looked,
    findings: [...findings].filter(([identity]) => seenBefore.has(identity)).map(([, finding]) => finding),
  };
}

async function lookOnce(buffer: Buffer, store: Store, { onKeys, signal }: CheckOptions): Promise<Report> {
  const findings: Finding[] = [];
  const compared = new Set<number>();
  for (let partition = 0; partition < buffer.partitions; partition += 1) {
    // MySQL on both sides: what it says first, Redis must know by then, and what Redis says, MySQL after that.
    const before = await store.epochs.read(partition);
    const state = await buffer.inspection.state(partition);
    const after = await store.epochs.read(partition);
    if (!before || !after) continue;
    findings.push(...judgeEpochs(partition, before, state, after));
    if (before.epoch === state.epoch) compared.add(partition);
  }
  const beside = new BesideStore(buffer, store, compared);
  const judge = (facts: ParentFacts) => beside.judge(facts);
  const seen = await buffer.inspection.look({
    judge,
    ...(onKeys && { onKeys }),
    ...(signal && { signal }),
  });
  for (const finding of seen.findings) if (!(await beside.isExplained(finding))) findings.push(finding);
  return { findings, looked: seen.looked };
}

/** What a partition's state in Redis says against MySQL's row of it, as read before and after. Pure. */
export function judgeEpochs(
  partition: number,
  before: StoredEpoch,
  state: PartitionState,
  after: StoredEpoch,
): Finding[] {
  const about = (kind: Finding["kind"], seen: string): Finding => ({
    kind,
    partition,
    subject: "meta",
    seen,
  });
  if (state.losses > after.losses) return [about("losses-ahead", `${state.losses} beside ${after.losses}`)];
  if (state.epoch !== before.epoch)
    return [about("epoch-differs", `${state.epoch ?? "none"} beside ${before.epoch}`)];
  if (state.flushSequence < before.flushSequence) {
    return [about("sequence-behind", `${state.flushSequence} beside ${before.flushSequence}`)];
  }
  if (state.committed > after.flushSequence) {
    return [about("commits-lost", `${state.committed} beside ${after.flushSequence}`)];
  }
  return [];
}

/** What MySQL has to say of the parents in Redis. */
class BesideStore {
  readonly #buffer: Buffer;
  readonly #store: Store;
  /** The partitions whose epoch both know. */
  readonly #compared: ReadonlySet<number>;

  constructor(buffer: Buffer, store: Store, compared: ReadonlySet<number>) {
    this.#buffer = buffer;
    this.#store = store;
    this.#compared = compared;
  }

  async judge(facts: ParentFacts): Promise<Finding[]> {
    const { parent, partition, counts, counter } = facts;
    if (!this.#compared.has(partition) || counter?.isDeleted) return [];
    const records = counts.pending + counts.revisions + counts.dead;
    // Buffer first: what leaves it between the two looks is found in MySQL.
    const isBuffered = records > 0 && (await this.#isBuffered(parent));
    const greatest = await this.#greatest(parent);
    if (greatest !== undefined) return this.#judgeLast(facts, greatest);
    if (records === 0 || isBuffered || (await this.#isRemoved(parent))) return [];
    return [about(facts, "parent-missing", `${records} records`)];
  }

  /** The counter was read before MySQL was, and may have gone on since. */
  async #judgeLast(facts: ParentFacts, greatest: number): Promise<Finding[]> {
    const isBehind = (counter: CounterFacts | undefined) =>
      counter?.epoch === facts.epoch && counter?.last !== undefined && counter.last < greatest;
    if (!isBehind(facts.counter)) return [];
    const now = await this.#buffer.inspection.counter(facts.parent);
    if (!isBehind(now)) return [];
    const seen = `last ${now?.last}, stored ${greatest}`;
    return [{ ...about(facts, "counter-behind-mysql", seen), expected: greatest }];
  }

  /** Whether a record is missing because what it belonged to was deleted, so long ago that nothing marks it. */
  async isExplained({ kind, partition, place }: Finding): Promise<boolean> {
    if (kind !== "dangling" && kind !== "letter-without-record") return false;
    if (!place || !this.#compared.has(partition)) return false;
    const parent = parentOf(place);
    return !(await this.#isBuffered(parent)) && (await this.#greatest(parent)) === undefined;
  }

  /** Whether a chat is in the buffer as more than a change, and not deleted there. Applications never are. */
  async #isBuffered({ token, chatNumber }: Parent): Promise<boolean> {
    if (chatNumber === undefined) return false;
    try {
      const chat = await this.#buffer.reads.find({ token, number: chatNumber });
      return (chat.kind === "pending" || chat.kind === "dead") && !chat.record.isDeleted;
    } catch (error) {
      // It is there, for whoever can read it.
      if (error instanceof OtherVersionError || error instanceof UnreadableRecordError) return true;
      throw error;
    }
  }

  async #greatest(parent: Parent): Promise<number | undefined> {
    // A back end of several may still have the transaction of a connection that was lost.
    const known = await throughContention(() => this.#store.numbers.under(parent));
    return known?.greatest;
  }

  /** Whether it is marked deleted by now, or a flusher is about to mark it. */
  async #isRemoved(parent: Parent): Promise<boolean> {
    const marks = [await this.#buffer.inspection.counter(parent)];
    if (parent.chatNumber !== undefined)
      marks.push(await this.#buffer.inspection.counter({ token: parent.token }));
    if (marks.some((counter) => counter?.isDeleted)) return true;
    return this.#store.removals.isNoted(parent.token);
  }
}

function about({ partition, parent }: ParentFacts, kind: Finding["kind"], seen: string): Finding {
  return { kind, partition, subject: parentPath(parent), seen, place: parent };
}
