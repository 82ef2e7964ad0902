import { createHash, randomBytes } from "node:crypto";

import { encodeRecord, operationIdIn } from "../records/payload.ts";
import { tombstone } from "../records/records.ts";
import { idleCounterSeconds } from "./accepting.ts";
import {
  type Batch,
  byParent,
  type CommittedFlush,
  type Death,
  type PendingEntry,
  strayReason,
  type UnreadableEntry,
} from "./batch.ts";
import type { Keys } from "./keys.ts";
import { markOf, type Place } from "./references.ts";
import type { Lease } from "./leases.ts";

/** What became of a batch that MySQL has committed. */
interface Fate {
  /** What died, and why. */
  readonly deaths: ReadonlyMap<PendingEntry, Death>;
  /** What to add to the flushed totals, by field. */
  readonly totals: ReadonlyMap<string, number>;
  /** The last flush that MySQL is known to have. */
  readonly committed: CommittedFlush | undefined;
  /** Documents that may be owed before the index is marked to be behind; 0 where there is no index. */
  readonly mostOwed: number;
}

/** In place of how much may be owed where no index is kept: whoever keeps one later must compare all of it. */
const noIndex = -1;

type Arguments = (string | number)[];

/** The keys and arguments with which `acknowledge.lua` takes a batch off its list. */
export function acknowledgementOf(
  keys: Keys,
  lease: Lease,
  batch: Batch,
  { deaths, totals, committed, mostOwed }: Fate,
): { keys: string[]; args: Arguments } {
  const { partition, list, references, strays } = batch;
  const { deleted, vanished } = chatsToForget(batch, deaths);
  const names = [
    keys.lease(partition),
    keys.meta(partition),
    keys.list(partition, list),
    keys.flushed(partition),
    keys.deadLetters(partition),
    keys.deadReasons(partition),
    keys.setAside(partition),
    keys.dirty(partition),
    keys.owedChats(partition),
  ];
  const args: Arguments = [lease.value, references.length, list, batch.position, batch.epoch];
  const mayOwe = list === "messages" ? mostOwed || noIndex : 0;
  args.push(idleCounterSeconds, mayOwe, placeholder());
  args.push(deleted.length, vanished.length, committed?.epoch ?? "", committed?.flushSequence ?? 0);
  names.push(...[...deleted, ...vanished].map((chat) => keys.counter(chat)));
  args.push(totals.size, ...[...totals].flat());
  args.push(strays.length, ...strays.flatMap((stray) => [strayId(partition, stray), stray, strayReason]));
  for (const [prefix, siblings] of byParent([...batch.entries, ...batch.orphans, ...batch.unreadable])) {
    const [parent] = siblings;
    names.push(...keys.beneath(parent), keys.owed(parent));
    args.push(prefix);
    pushFates(args, siblings, deaths);
  }
  return { keys: names, args };
}

/**
 * The chats whose mark of deletion need not stay for ever: those of which MySQL has no row any more, and those whose
 * record went with their application.
 */
function chatsToForget({ list, entries, vanished }: Batch, deaths: Fate["deaths"]) {
  if (list !== "chats") return { deleted: [], vanished: [] };
  const toChat = ({ token, number }: Place) => ({ token, chatNumber: number });
  const deleted = entries.filter((entry) => entry.record.isDeleted && !deaths.has(entry));
  return { deleted: deleted.map(toChat), vanished: vanished.map(toChat) };
}

/** New records that were written, and all others with what became of them. */
function pushFates(
  args: Arguments,
  siblings: readonly (PendingEntry | UnreadableEntry)[],
  deaths: Fate["deaths"],
): void {
  const isWritten = (entry: PendingEntry | UnreadableEntry) =>
    entry.origin === "pending" && outcomeOf(entry, deaths).kind === "written";
  const written = siblings.filter(isWritten);
  args.push(written.length);
  for (const { number } of written) args.push(number);
  for (const { stamp } of written) args.push(stamp);
  const others = written.length < siblings.length ? siblings.filter((entry) => !isWritten(entry)) : [];
  args.push(others.length);
  for (const entry of others) {
    const { kind, reason } = outcomeOf(entry, deaths);
    args.push(entry.number, markOf(entry.origin), entry.stamp, kind, asideOf(entry, kind), reason);
  }
}

interface Outcome {
  readonly kind: "written" | "unreadable" | Death["kind"];
  readonly reason: string;
}

const written: Outcome = { kind: "written", reason: "" };

function outcomeOf(entry: PendingEntry | UnreadableEntry, deaths: Fate["deaths"]): Outcome {
  if ("reason" in entry) return { kind: "unreadable", reason: entry.reason };
  return deaths.get(entry) ?? written;
}

/** What tells one that is set aside from others of its number; nothing where it stays in its place. */
function asideOf({ stamp }: PendingEntry | UnreadableEntry, kind: Outcome["kind"]): string {
  if (kind === "conflict") return operationIdIn(stamp);
  return kind === "unreadable" ? kind : "";
}

function placeholder(): string {
  return encodeRecord(tombstone(randomBytes(12).toString("base64url"), Date.now(), "unreadable"));
}

/** Names a list's entry that is no reference; the same one has the same name however often it is met. */
function strayId(partition: number, stray: string): string {
  return `?${partition}:${createHash("sha256").update(stray).digest("base64url").slice(0, 22)}`;
}

/** The partition of a dead letter that is no record, by its id; nothing where the id is a record's. */
export function partitionOfStray(id: string): number | undefined {
  const [, partition] = /^\?(\d+):/.exec(id) ?? [];
  return partition === undefined ? undefined : Number(partition);
}
