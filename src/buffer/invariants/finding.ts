import type { ListName, Parent, Place } from "../references.ts";
import type { HomeName } from "./homes.ts";

/** What can be wrong with what Redis keeps; `sentences.ts` says what each means and what to do. */
export type FindingKind =
  // Of records and their references.
  | "unlisted"
  | "listed-twice"
  | "dangling"
  | "stray"
  | "two-homes"
  | "half-deleted"
  | "beneath-deleted"
  | "parent-missing"
  // Of counters.
  | "counter-bytes"
  | "counter-expires"
  | "counter-behind-pending"
  | "counter-not-dense"
  | "counter-behind-mysql"
  // Of keys.
  | "expires"
  | "wrong-type"
  | "misplaced"
  // Of dead letters.
  | "letter-without-record"
  | "letter-without-reason"
  | "reason-without-letter"
  | "set-aside-without-letter"
  // Of a partition.
  | "partition-bytes"
  | "owed-total"
  | "owed-unlisted"
  | "owed-nothing"
  | "odd-path"
  | "epoch-differs"
  | "sequence-behind"
  | "commits-lost"
  | "losses-ahead";

/** Something that must hold of the buffer and does not. */
export interface Finding {
  readonly kind: FindingKind;
  readonly partition: number;
  /** A reference, the path of a parent, a key, or a member: what it is about. */
  readonly subject: string;
  /** What was seen of it, in words; it is the same finding at a second look only while this is the same. */
  readonly seen: string;
  /** The record or the parent it is about, where it is about one. */
  readonly place?: Place | Parent;
  /** Of a record that no list has: what tells that it is still the same. */
  readonly unlisted?: Unlisted;
  /** What a total should be, or what a counter must at least have given. */
  readonly expected?: number;
  /** Of which that is: see `PartitionState`. */
  readonly moment?: string;
}

/** A record that is to be listed, and as what. */
export interface Unlisted {
  readonly list: ListName;
  readonly homeName: HomeName;
  readonly stamp: string;
}

/** The same for two findings of the same thing. */
export function identityOf({ kind, partition, subject, seen }: Finding): string {
  return `${kind} ${partition} ${subject} ${seen}`;
}

/** What was read for it. */
export interface Looked {
  parents: number;
  records: number;
  references: number;
  deadLetters: number;
  /** Parents that changed while they were being read, each time: nothing is said of their counters. */
  inMotion: number;
  /** Partitions that were at work meanwhile: nothing is said of their totals. */
  restless: number;
}

/** Findings of one kind that are kept: where there are more, these tell what it is. */
const keptOfAKind = 1000;

/** Gathers findings, a bounded number of each kind. */
export class Findings {
  readonly all: Finding[] = [];
  readonly #counts = new Map<FindingKind, number>();

  add(found: readonly Finding[]): void {
    for (const finding of found) {
      const count = (this.#counts.get(finding.kind) ?? 0) + 1;
      this.#counts.set(finding.kind, count);
      if (count <= keptOfAKind) this.all.push(finding);
    }
  }
}
