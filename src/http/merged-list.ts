import type { NumberedRecord, PendingPage, PendingQuery } from "../buffer/pending-reads.ts";
import type { Rank, Slice } from "../store/reads.ts";
import type { Page, PageRequest } from "./services.ts";

/** What of a list is in the buffer. */
export interface PendingSide<T> {
  page(query: PendingQuery): Promise<PendingPage | "gone">;
  /** A record that MySQL may not have yet. */
  readonly toRecord: (pending: NumberedRecord) => T;
  /** A stored record as a revision of it will leave it. */
  readonly revise: (stored: T, revision: NumberedRecord) => T;
}

/** What of a list MySQL has. */
export interface StoredSide<T> {
  slice(slice: Slice): Promise<T[]>;
  count(first: number, end: number, except: readonly number[]): Promise<number>;
  numberAt(rank: Rank): Promise<number | undefined>;
}

/** Where a page begins: beyond this number in its order, or with the first record. */
type Start = { readonly cursor: number | undefined } | "past-the-end" | "gone";

const noEnd = Number.MAX_SAFE_INTEGER;

/**
 * One page of a list that lies partly in the buffer and partly in MySQL, complete and in order while a flush
 * moves records from the one to the other; "gone" where what it belongs to was deleted. The buffer is read
 * first: what leaves it then is in MySQL by the time MySQL is read, and what is seen twice counts once.
 */
export async function mergedPage<T extends { readonly number: number }>(
  pending: PendingSide<T>,
  stored: StoredSide<T>,
  request: PageRequest,
): Promise<Page<T> | "gone"> {
  const { order, perPage } = request;
  const start = await startOf(pending, stored, request);
  if (start === "gone") return "gone";
  if (start === "past-the-end") return { items: [], hasNext: false };
  const both = await bothSides(pending, stored, { order, cursor: start.cursor, skip: 0, limit: perPage + 1 });
  if (both === "gone") return "gone";
  const { fresh, kept } = both;
  const changes = new Map([...fresh.revisions, ...fresh.dead].map((change) => [change.number, change]));
  const changed = kept.map((record) => {
    const change = changes.get(record.number);
    return change ? pending.revise(record, change) : record;
  });
  const dead = deadBeyond(start.cursor, order, fresh).map(pending.toRecord);
  const merged = inOrder(order, [...dead, ...changed, ...fresh.records.map(pending.toRecord)]);
  return { items: merged.slice(0, perPage), hasNext: merged.length > perPage };
}

interface BothSides<T> {
  readonly fresh: PendingPage;
  readonly kept: readonly T[];
}

/**
 * What each side has of a page. Where it may be full without what is pending, that is read only when it turns out not
 * to be, as some of what comes before was deleted; MySQL is then read once more, for what was flushed meanwhile.
 */
async function bothSides<T extends { readonly number: number }>(
  pending: PendingSide<T>,
  stored: StoredSide<T>,
  query: PendingQuery,
): Promise<BothSides<T> | "gone"> {
  const near = await readBoth(pending, stored, { ...query, nearOnly: query.order === "asc" });
  if (near === "gone" || !near.fresh.isFar) return near;
  const last = near.kept[query.limit - 1];
  const isFull = last !== undefined && last.number < (near.fresh.lowest ?? noEnd);
  return isFull ? near : readBoth(pending, stored, query);
}

async function readBoth<T>(
  pending: PendingSide<T>,
  stored: StoredSide<T>,
  query: PendingQuery,
): Promise<BothSides<T> | "gone"> {
  const fresh = await pending.page(query);
  if (fresh === "gone") return "gone";
  const { order, cursor, limit } = query;
  return { fresh, kept: await stored.slice({ order, cursor, limit, except: deletedIn(fresh) }) };
}

function deadBeyond(
  cursor: number | undefined,
  order: "asc" | "desc",
  { dead }: PendingPage,
): NumberedRecord[] {
  const isBeyond = (number: number) =>
    cursor === undefined || (order === "asc" ? number > cursor : number < cursor);
  return dead.filter(({ number, record }) => !record.isDeleted && isBeyond(number));
}

/** Numbers of dead letters that readers see. */
function deadIn({ dead }: PendingPage): number[] {
  return dead.filter(({ record }) => !record.isDeleted).map(({ number }) => number);
}

/** Records that are deleted, of which MySQL may still have the row. */
function deletedIn({ revisions, dead }: PendingPage): number[] {
  return [...revisions, ...dead].filter(({ record }) => record.isDeleted).map(({ number }) => number);
}

async function startOf<T>(
  pending: PendingSide<T>,
  stored: StoredSide<T>,
  { start, perPage, order }: PageRequest,
): Promise<Start> {
  if (start.kind === "after") return { cursor: start.after };
  const rank = (start.number - 1) * perPage;
  if (rank === 0) return { cursor: undefined };
  const found = await (order === "asc" ? rankAscending : rankDescending)(pending, stored, rank);
  if (found === "gone") return "gone";
  if (found === undefined) return "past-the-end";
  return { cursor: order === "asc" ? found - 1 : found + 1 };
}

/**
 * The number at a rank counted from the lowest. Below the lowest pending number everything is stored and is
 * counted; the rest of the rank is taken among the pending, unless a flush has moved their lowest meanwhile:
 * then only what it moved is counted and the pending are asked again.
 */
async function rankAscending<T>(
  pending: PendingSide<T>,
  stored: StoredSide<T>,
  rank: number,
): Promise<number | undefined | "gone"> {
  let [counted, countedTo] = [0, 0];
  let page = await pending.page({ order: "asc", cursor: undefined, skip: 0, limit: 0 });
  for (;;) {
    if (page === "gone") return "gone";
    const { lowest } = page;
    const [except, also] = [deletedIn(page), deadIn(page)];
    if (lowest === undefined) return stored.numberAt({ order: "asc", rank, end: noEnd, except, also });
    // Counted by row or by dead letter; one that is both has a row that was refused a change.
    counted += await stored.count(countedTo, lowest, [...except, ...also]);
    counted += between(countedTo, lowest, also);
    countedTo = lowest;
    if (rank < counted) return stored.numberAt({ order: "asc", rank, end: lowest, except, also });
    page = await pending.page({ order: "asc", cursor: undefined, skip: rank - counted, limit: 1 });
    if (page !== "gone" && page.lowest === lowest) return page.records[0]?.number;
  }
}

/** The number at a rank counted from the highest: pending numbers come first, what is below them is stored. */
async function rankDescending<T>(
  pending: PendingSide<T>,
  stored: StoredSide<T>,
  rank: number,
): Promise<number | undefined | "gone"> {
  const page = await pending.page({ order: "desc", cursor: undefined, skip: rank, limit: 1 });
  if (page === "gone") return "gone";
  const [found] = page.records;
  if (found) return found.number;
  return stored.numberAt({
    order: "desc",
    rank: rank - page.pendingCount,
    end: page.lowest ?? noEnd,
    except: deletedIn(page),
    also: deadIn(page),
  });
}

function between(first: number, end: number, numbers: readonly number[]): number {
  return numbers.filter((number) => number >= first && number < end).length;
}

/** Records by number; of one that is given several times, the last form. */
function inOrder<T extends { readonly number: number }>(order: "asc" | "desc", records: readonly T[]): T[] {
  const byNumber = new Map(records.map((record) => [record.number, record]));
  const direction = order === "asc" ? 1 : -1;
  return [...byNumber.values()].sort((a, b) => direction * (a.number - b.number));
}
