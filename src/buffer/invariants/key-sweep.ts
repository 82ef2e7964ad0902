import type { Redis } from "ioredis";

import type { Connection } from "../connections.ts";
import type { Keys } from "../keys.ts";
import { type Parent, parseParentPath } from "../references.ts";
import type { AwaitedRecords } from "./awaited-records.ts";
import { type Finding, Findings, type Looked } from "./finding.ts";
import { judgeParent, type ParentFacts } from "./parent-facts.ts";
import { isPath, PartitionStates } from "./partition-state.ts";
import { ParentReader } from "./read-parent.ts";

const scannedAtOnce = 1000;
/** Parents that are read at a time. */
const parentsAtOnce = 20;

/** The keys that say that a parent is there, in the order in which they are asked. */
const parentKeys = ["counter", "pending", "revisions", "dead"] as const;

/** Told of each parent that was still while it was read; answers what else is wrong with it. */
export type Judge = (facts: ParentFacts) => Promise<readonly Finding[]>;

/** What is summed up of a partition; not whole where a parent was never still. */
interface Sums {
  bytes: number;
  owed: number;
  isWhole: boolean;
}

export interface Sweep {
  readonly judge?: Judge;
  readonly onKeys?: (count: number) => void;
  readonly signal?: AbortSignal;
  /** The parents of this sweep, where there are too many records for one. */
  readonly isMine: (parent: Parent) => boolean;
  readonly isFirst: boolean;
  readonly awaited: AwaitedRecords;
  readonly looked: Looked;
  readonly sums: readonly Sums[];
}

/** Goes over every key of a namespace. */
export class KeySweep {
  readonly #connection: Connection;
  readonly #keys: Keys;
  readonly #parents: ParentReader;
  readonly #states: PartitionStates;

  constructor(connection: Connection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
    this.#parents = new ParentReader(connection, keys);
    this.#states = new PartitionStates(connection, keys);
  }

  /** What is wrong with the parents of a sweep; their records are awaited in the lists then. */
  async look(sweep: Sweep): Promise<Finding[]> {
    const found = new Findings();
    for (const master of this.#connection.masters()) {
      for await (const names of this.#scan(master)) {
        sweep.signal?.throwIfAborted();
        if (sweep.isFirst) sweep.onKeys?.(names.length);
        for (let at = 0; at < names.length; at += parentsAtOnce) {
          const some = names.slice(at, at + parentsAtOnce);
          found.add((await Promise.all(some.map((name) => this.#lookAt(name, sweep)))).flat());
        }
      }
    }
    return found.all;
  }

  async *#scan(master: Redis): AsyncGenerator<string[]> {
    for (let cursor = "", next = "0"; cursor !== "0"; cursor = next) {
      const [after, found] = await master.scan(next, "MATCH", this.#keys.pattern(), "COUNT", scannedAtOnce);
      next = after;
      yield [...new Set(found)];
    }
  }

  async #lookAt(key: string, sweep: Sweep): Promise<readonly Finding[]> {
    const parsed = this.#keys.parse(key);
    if (!parsed) return [];
    const { name, partition, isAtHome } = parsed;
    if (!isAtHome) return sweep.isFirst ? [{ kind: "misplaced", partition, subject: key, seen: "" }] : [];
    const path = key.slice(key.indexOf("}") + 2 + name.length + 1);
    if (!isPath(path) || !sweep.isMine(parseParentPath(path))) return [];
    try {
      return await this.#lookBeneath(parseParentPath(path), name, sweep);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("WRONGTYPE"))) throw error;
      return [{ kind: "wrong-type", partition, subject: path, seen: "" }];
    }
  }

  async #lookBeneath(parent: Parent, name: string, sweep: Sweep): Promise<readonly Finding[]> {
    if (name === "owed") return this.#lookAtOwed(parent, sweep);
    const kind = parentKeys.find((one) => one === name);
    return kind && (await this.#isFirstKey(parent, kind)) ? this.#lookAtParent(parent, sweep) : [];
  }

  /** A parent has several keys, and is looked at once: by the first of them that is there. */
  async #isFirstKey(parent: Parent, kind: (typeof parentKeys)[number]): Promise<boolean> {
    const earlier = parentKeys.slice(0, parentKeys.indexOf(kind));
    if (earlier.length === 0) return true;
    const { client } = this.#connection;
    const there = earlier.map((one) => client.exists(this.#keys[one](parent)));
    return !(await Promise.all(there)).includes(1);
  }

  async #lookAtOwed(chat: Parent, { sums }: Sweep): Promise<Finding[]> {
    const { owed, found } = await this.#states.judgeOwed(chat);
    const sum = sums[this.#keys.partitionOf(chat.token)];
    if (sum) sum.owed += owed;
    return found;
  }

  async #lookAtParent(parent: Parent, { awaited, looked, sums, judge }: Sweep): Promise<readonly Finding[]> {
    const facts = await this.#parents.read(parent, (record) => {
      awaited.add(parent, record);
    });
    const sum = sums[this.#keys.partitionOf(parent.token)];
    looked.parents += 1;
    if (!facts) {
      looked.inMotion += 1;
      if (sum) sum.isWhole = false;
      return [];
    }
    looked.records += facts.counts.pending + facts.counts.revisions + facts.counts.dead;
    if (sum && !facts.counter?.isDeleted) sum.bytes += facts.bytes;
    return [...judgeParent(facts), ...((await judge?.(facts)) ?? [])];
  }
}
