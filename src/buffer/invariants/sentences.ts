import type { Finding, FindingKind } from "./finding.ts";

interface Sentence {
  /** What is wrong; `%s` is what it is about. */
  readonly what: string;
  /** What to do, or who sees to it. */
  readonly remedy: string;
}

const repair = "`sluice check --repair` puts it right.";
const readBeforeActing =
  "Take a backup, keep the log, and report it: this comes from a defect, or from a hand in Redis.";

/** In the order in which they are told: what may cost a record or a number first. */
const sentences: Readonly<Record<FindingKind, Sentence>> = {
  unlisted: {
    what: "The record %s is in no list, so it would never reach MySQL.",
    remedy: "`sluice check --repair` lists it again; the next flush writes it.",
  },
  "counter-behind-mysql": {
    what: "The counter of %s is behind what MySQL has: it would give a number a second time.",
    remedy: "`sluice check --repair` raises it, now rather than later.",
  },
  "counter-behind-pending": {
    what: "The counter of %s is behind what is pending beneath it: it would give a number a second time.",
    remedy: "`sluice check --repair` raises it, now rather than later.",
  },
  "counter-expires": {
    what: "The counter of %s will leave Redis although something is kept beneath it.",
    remedy: "`sluice check --repair` takes the end off.",
  },
  expires: {
    what: "The key %s will leave Redis by itself, and what was accepted with it.",
    remedy: "`sluice check --repair` takes the end off, now rather than later.",
  },
  "epoch-differs": {
    what: "Redis and MySQL are of different epochs: Redis has lost its data, or is another one.",
    remedy:
      "It is noticed with the next POST or flush, and numbers resume above a gap. Look whether this is the right Redis.",
  },
  "sequence-behind": {
    what: "Redis is behind what was flushed: it was put back to an older copy.",
    remedy:
      "It is noticed when a process connects anew, and numbers resume above a gap: restart the flushers.",
  },
  "commits-lost": {
    what: "MySQL is behind what it had committed: it was put back to an older copy.",
    remedy:
      "What was flushed since that copy is gone from it. Find out why before you go on; numbers resume above a gap.",
  },
  "losses-ahead": {
    what: "Redis counts more losses of data than MySQL: MySQL was put back to an older copy.",
    remedy: "Find out why before you go on, and restart the flushers.",
  },
  "parent-missing": {
    what: "Records wait beneath %s, which is neither in MySQL nor in Redis: nobody could read them.",
    remedy: `They will be written as rows without a parent. ${readBeforeActing}`,
  },
  "two-homes": {
    what: "The record %s lies in two places; readers see one of them.",
    remedy: readBeforeActing,
  },
  "beneath-deleted": {
    what: "Records lie beneath %s, which was deleted.",
    remedy: `Nobody sees them and nobody flushes them. ${readBeforeActing}`,
  },
  "half-deleted": {
    what: "The record %s was deleted before it was flushed, and lists do not know it.",
    remedy: "The next flush of it ends this.",
  },
  "listed-twice": {
    what: "The record %s is listed more than once.",
    remedy:
      "The flusher passes over what it finds written. Look again after a flush; totals may then need --repair.",
  },
  dangling: {
    what: "The list has a reference to %s, and there is no such record, nor was what it belonged to deleted.",
    remedy: `The flusher passes over it. If it was an accepted record it is lost. ${readBeforeActing}`,
  },
  stray: {
    what: 'The list has an entry that is no reference of it: "%s".',
    remedy: "The flusher sets it aside when it comes to it; see `sluice dead-letters`.",
  },
  "letter-without-record": {
    what: "The dead letter %s has no record any more, and what it belonged to was not deleted.",
    remedy: `\`sluice dead-letters discard\` takes it off the list. ${readBeforeActing}`,
  },
  "letter-without-reason": { what: "The dead letter %s has no reason.", remedy: repair },
  "reason-without-letter": { what: "There is a reason for %s, which is no dead letter.", remedy: repair },
  "set-aside-without-letter": {
    what: "%s was set aside and is not among the dead letters.",
    remedy: "`sluice check --repair` lists it there.",
  },
  "wrong-type": {
    what: "A key of %s is of another type than Sluice writes: somebody else writes into this namespace.",
    remedy: "Find out who, and look at the key with `redis-cli`; requests for it fail meanwhile.",
  },
  misplaced: {
    what: "The key %s lies in another partition than its token says: nobody looks for it there.",
    remedy: "Look whether PARTITIONS is right, and whether a `sluice repartition` was broken off.",
  },
  "counter-not-dense": {
    what: "The counter of %s tells wrongly where its pending numbers begin: lists of them may be wrong.",
    remedy: repair,
  },
  "counter-bytes": { what: "The counter of %s counts the bytes beneath it wrongly.", remedy: repair },
  "partition-bytes": {
    what: "The partition counts its bytes wrongly: it may refuse too early, or too late.",
    remedy: "`sluice check --repair` counts anew, while nothing is written for a moment.",
  },
  "owed-total": {
    what: "The partition counts wrongly what is owed to the search index.",
    remedy: "`sluice check --repair` counts anew, while nothing is written for a moment.",
  },
  "owed-unlisted": {
    what: "Documents of %s are owed to the search index, and nobody is told.",
    remedy: repair,
  },
  "owed-nothing": {
    what: "The chat %s is listed as owing documents to the search index, and owes none.",
    remedy: "The index worker takes it off, or `sluice check --repair`.",
  },
  "odd-path": {
    what: 'A list of parents has an entry that is none of this partition: "%s".',
    remedy: "Look who wrote it; remove it with `redis-cli zrem`.",
  },
};

const order = Object.keys(sentences);

/** A finding in words: what is wrong, what was seen of it, and what to do. */
export function describeFinding({ kind, subject, seen }: Finding): {
  what: string;
  seen: string;
  remedy: string;
} {
  const { what, remedy } = sentences[kind];
  return { what: what.replace("%s", () => subject), seen, remedy };
}

/** Findings in the order in which they matter. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}
