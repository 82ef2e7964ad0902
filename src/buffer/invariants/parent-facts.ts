import { type Parent, parentPath } from "../references.ts";
import type { Finding, FindingKind } from "./finding.ts";
import { type HomeName, homeNames } from "./homes.ts";

/** A record of a parent, and the head of its payload, which differs whenever the record does. */
export interface RecordFacts {
  readonly number: number;
  readonly home: HomeName;
  readonly stamp: string;
}

/** What a parent's counter says; numbers are absent where the counter does not say them. */
export interface CounterFacts {
  readonly epoch: string | undefined;
  readonly last: number | undefined;
  readonly written: number | undefined;
  readonly bytes: number;
  readonly isDeleted: boolean;
  readonly expires: boolean;
}

/** A parent and what lies beneath it, as of one moment. */
export interface ParentFacts {
  readonly partition: number;
  readonly parent: Parent;
  /** Absent where there is none. */
  readonly counter: CounterFacts | undefined;
  /** The epoch of the partition. */
  readonly epoch: string | undefined;
  readonly counts: Readonly<Record<HomeName, number>>;
  /** Of all payloads. */
  readonly bytes: number;
  readonly lowest: number | undefined;
  readonly highest: number | undefined;
  /** Those of its keys that hold records and expire. */
  readonly expiring: readonly string[];
  /** Records that two homes hold and should not, or one and should be in both. */
  readonly oddities: readonly { readonly kind: "two-homes" | "half-deleted"; readonly number: number }[];
}

/** What is wrong with a parent that was still while it was read. Pure. */
export function judgeParent(facts: ParentFacts): Finding[] {
  const { partition, parent, counter, oddities, expiring } = facts;
  const path = parentPath(parent);
  const about = (kind: FindingKind, subject: string, seen: string): Finding => ({
    kind,
    partition,
    subject,
    seen,
    place: parent,
  });
  const found = [
    ...oddities.map(({ kind, number }) => about(kind, `${path}:${number}`, "")),
    ...expiring.map((key) => about("expires", key, "")),
  ];
  const isEmpty = homeNames.every((home) => facts.counts[home] === 0);
  if (counter?.isDeleted) {
    if (!isEmpty) found.push(about("beneath-deleted", path, `${recordsOf(facts)} records`));
    return found;
  }
  const said = counter?.bytes ?? 0;
  if (said !== facts.bytes) found.push(about("counter-bytes", path, `says ${said}, holds ${facts.bytes}`));
  if (counter?.expires && !isEmpty) found.push(about("counter-expires", path, `${recordsOf(facts)} records`));
  return [...found, ...judgeNumbers(facts, about)];
}

function judgeNumbers(
  { counter, epoch, counts, lowest, highest, parent }: ParentFacts,
  about: (kind: FindingKind, subject: string, seen: string) => Finding,
): Finding[] {
  const { last, written } = counter ?? {};
  // One of another epoch gives no number before it was loaded anew.
  if (last === undefined || counter?.epoch !== epoch || highest === undefined) return [];
  const path = parentPath(parent);
  if (last < highest) return [about("counter-behind-pending", path, `last ${last}, pending ${highest}`)];
  if (written === undefined || last - written !== counts.pending) return [];
  if (lowest === written + 1 && highest === last) return [];
  return [about("counter-not-dense", path, `written ${written}, last ${last}, pending from ${lowest}`)];
}

function recordsOf({ counts }: ParentFacts): number {
  return homeNames.reduce((sum, home) => sum + counts[home], 0);
}
