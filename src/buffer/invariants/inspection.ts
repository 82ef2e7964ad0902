import { crc32 } from "node:zlib";

import type { Connection } from "../connections.ts";
import type { Keys } from "../keys.ts";
import { type Parent, parentPath } from "../references.ts";
import { AwaitedRecords } from "./awaited-records.ts";
import { DeadLetterPairs } from "./dead-letter-pairs.ts";
import { type Finding, Findings, type Looked } from "./finding.ts";
import { type Judge, KeySweep } from "./key-sweep.ts";
import { ListedRecords } from "./listed-records.ts";
import type { CounterFacts } from "./parent-facts.ts";
import { type PartitionState, PartitionStates } from "./partition-state.ts";
import { ParentReader } from "./read-parent.ts";

/** Records whose references are looked for in one sweep over the keys and lists: some 50 MB. */
const recordsAtOnce = 200_000;

export interface Look {
  readonly judge?: Judge;
  readonly onKeys?: (count: number) => void;
  readonly signal?: AbortSignal;
}

/** What one look over the whole buffer found. */
export interface Seen {
  readonly findings: readonly Finding[];
  readonly looked: Looked;
}

/**
 * Looks over all that a namespace keeps in Redis, in bounded memory and without holding anybody up. Much of it is
 * read at different moments: on a system at work a finding counts only if it is there at a second look.
 */
export class Inspection {
  readonly #keys: Keys;
  readonly #sweep: KeySweep;
  readonly #lists: ListedRecords;
  readonly #letters: DeadLetterPairs;
  readonly #states: PartitionStates;
  readonly #parents: ParentReader;

  constructor(connection: Connection, keys: Keys) {
    this.#keys = keys;
    this.#sweep = new KeySweep(connection, keys);
    this.#lists = new ListedRecords(connection, keys);
    this.#letters = new DeadLetterPairs(connection, keys);
    this.#states = new PartitionStates(connection, keys);
    this.#parents = new ParentReader(connection, keys);
  }

  /** What a partition says of itself now. */
  async state(partition: number): Promise<PartitionState> {
    return this.#states.read(partition);
  }

  /** What a parent's counter says now. */
  async counter(parent: Parent): Promise<CounterFacts | undefined> {
    return this.#parents.counter(parent);
  }

  /** Everything that is wrong, as far as one look can tell. @throws {BufferUnavailableError} or what aborted it */
  async look(look: Look = {}): Promise<Seen> {
    const looked: Looked = {
      parents: 0,
      records: 0,
      references: 0,
      deadLetters: 0,
      inMotion: 0,
      restless: 0,
    };
    const before = await this.#eachState();
    const sums = before.map(() => ({ bytes: 0, owed: 0, isWhole: true }));
    const listed = before.reduce((sum, { listed: count }) => sum + count, 0);
    const shards = Math.ceil(listed / recordsAtOnce) || 1;
    const findings = new Findings();
    for (let shard = 0; shard < shards; shard += 1) {
      const isMine = (parent: Parent) => shards === 1 || crc32(parentPath(parent)) % shards === shard;
      const awaited = new AwaitedRecords(this.#keys);
      const sweep = { ...look, isMine, isFirst: shard === 0, awaited, looked, sums };
      findings.add(await this.#sweep.look(sweep));
      findings.add(await this.#lookAtLists(awaited, isMine, looked, look.signal));
    }
    findings.add(await this.#lookBeside(looked));
    const after = await this.#eachState();
    for (const [partition, state] of after.entries()) {
      const sum = sums[partition];
      if (state.moment !== before[partition]?.moment || !sum?.isWhole) looked.restless += 1;
      else findings.add(judgeSums(partition, state, sum));
    }
    return { findings: findings.all, looked };
  }

  async #lookAtLists(
    awaited: AwaitedRecords,
    isMine: (parent: Parent) => boolean,
    looked: Looked,
    signal: AbortSignal | undefined,
  ): Promise<Finding[]> {
    const findings = new Findings();
    for (let partition = 0; partition < this.#keys.partitions; partition += 1) {
      await this.#letters.meet(partition, awaited);
      for (const list of ["chats", "messages"] as const) {
        signal?.throwIfAborted();
        findings.add(await this.#lists.look(partition, list, { awaited, isMine, looked }));
      }
    }
    findings.add(await this.#lists.unlisted(awaited));
    return findings.all;
  }

  /** What is kept beside the records. */
  async #lookBeside(looked: Looked): Promise<Finding[]> {
    const findings = new Findings();
    for (let partition = 0; partition < this.#keys.partitions; partition += 1) {
      findings.add(await this.#states.expiring(partition));
      findings.add(await this.#states.judgePaths(partition));
      findings.add(await this.#letters.look(partition, looked));
    }
    return findings.all;
  }

  async #eachState(): Promise<PartitionState[]> {
    const partitions = Array.from({ length: this.#keys.partitions }, (_, partition) => partition);
    return Promise.all(partitions.map((partition) => this.#states.read(partition)));
  }
}

/** What a partition says that does not agree with the sum of its parts. Pure. */
function judgeSums(
  partition: number,
  state: PartitionState,
  sum: { bytes: number; owed: number },
): Finding[] {
  const findings: Finding[] = [];
  const differ = (kind: "partition-bytes" | "owed-total", said: number, expected: number) => {
    if (said === expected) return;
    findings.push({
      kind,
      partition,
      subject: "meta",
      seen: `says ${said}, holds ${expected}`,
      expected,
      moment: state.moment,
    });
  };
  differ("partition-bytes", state.bytes, sum.bytes);
  differ("owed-total", state.owed, sum.owed);
  return findings;
}
