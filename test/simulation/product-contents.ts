/** What lies where in Redis; with `product.ts` all that the simulation knows of the program. */
import type { Redis } from "ioredis";

import { decodeRecord } from "../../src/records/payload.ts";
import { discardedRevision } from "../../src/records/records.ts";

export interface Payload {
  readonly path: string;
  readonly home: "pending" | "revisions" | "dead";
  readonly payload: string;
}

/** What a payload says of its record, as far as it counts what becomes of it. */
export interface Said {
  readonly operationId: string;
  readonly text: string | null;
  readonly updatedAtMs: number;
  readonly isChanged: boolean;
  readonly isDeleted: boolean;
  /** Deleted by an operator, as a dead letter: a row that is there is none. */
  readonly isDiscarded: boolean;
}

export function saidOf({ payload }: Payload): Said {
  const { revision, ...record } = decodeRecord(payload);
  return { ...record, isChanged: revision !== "", isDiscarded: revision === discardedRevision };
}

/** What lies in Redis, as far as the simulator looks at it itself. */
export interface Contents {
  /** Payloads by the path of their record, `token:chat` or `token:chat:message`, and where they lie. */
  readonly payloads: readonly Payload[];
  readonly references: readonly string[];
  /** Paths of the applications and chats that have a counter. */
  readonly counters: ReadonlySet<string>;
  readonly deadLetters: readonly string[];
  /** Deleted parents of which the search index may still have documents. */
  readonly owedRemovals: number;
  readonly meta: Readonly<Record<string, string>>;
}

export async function contentsOf(client: Redis, namespace: string): Promise<Contents> {
  const root = `${namespace}:{0}:`;
  const payloadsOf = async (home: Payload["home"], key: string): Promise<Payload[]> => {
    const parent = key.slice(root.length + home.length + 1);
    const records = Object.entries(await client.hgetall(key));
    return records.map(([number, payload]) => ({ path: `${parent}:${number}`, home, payload }));
  };
  const payloadsIn = async (home: Payload["home"]) => {
    const keys = await client.keys(`${root}${home}:*`);
    return Promise.all(keys.map((key) => payloadsOf(home, key)));
  };
  const [pending, revisions, dead, counters, chats, messages, deadLetters, owedRemovals, meta] =
    await Promise.all([
      payloadsIn("pending"),
      payloadsIn("revisions"),
      payloadsIn("dead"),
      client.keys(`${root}counter:*`),
      client.lrange(`${root}chats`, 0, -1),
      client.lrange(`${root}messages`, 0, -1),
      client.zrange(`${root}dead-letters`, "0", "-1"),
      client.zcard(`${root}owed-removals`),
      client.hgetall(`${root}meta`),
    ]);
  return {
    payloads: [...pending, ...revisions, ...dead].flat(),
    references: [...chats, ...messages],
    counters: new Set(counters.map((key) => key.slice(`${root}counter:`.length))),
    deadLetters,
    owedRemovals,
    meta,
  };
}

/** Whether nothing waits to be written to the index, to be removed from it or to be compared with it. */
export function isIndexSettled({ meta, owedRemovals }: Contents): boolean {
  return Number(meta["owed"] ?? 0) === 0 && meta["behind"] === undefined && owedRemovals === 0;
}

/** Keys that somebody keeps alive while time passes. */
export function isKeptAlive(key: string): boolean {
  return key.endsWith("lease");
}

/** What of the buffer is not as it must be, at rest. */
export function problemsOf({ payloads, references, deadLetters, meta }: Contents): string[] {
  const bytes = Number(meta["bytes"] ?? 0);
  const listed = new Set(references.map((reference) => reference.replace(/:(r|d)$/, "")));
  const letters = new Set(deadLetters);
  // A refused change stays where changes lie, a refused new record among its parent's dead letters.
  const isDead = ({ path, home }: Payload) =>
    home !== "pending" && letters.has(`${path}:${home === "dead" ? "d" : "r"}`);
  const unlisted = payloads.filter((payload) => !listed.has(payload.path) && !isDead(payload));
  const sum = payloads.reduce((total, { payload }) => total + globalThis.Buffer.byteLength(payload), 0);
  return [
    ...unlisted.map(({ path, home }) => `a payload in ${home} is not listed: ${path.replace(/^[^:]*/, "…")}`),
    ...(sum === bytes ? [] : [`bytes say ${bytes}, and ${sum} are there`]),
  ];
}

/**
 * Whether anybody can know that one of the stores was put back to what it holds now: a Redis put back to a copy since
 * which nothing was flushed looks like one that has lost nothing. What was accepted since is then lost, and its numbers
 * are given again.
 */
export function isLossNoticeable(
  { meta }: Contents,
  partitions: readonly Readonly<Record<string, unknown>>[],
): boolean {
  const [losses, sequence, committed] = ["losses", "sequence", "committed"].map((name) =>
    Number(meta[name] ?? 0),
  ) as [number, number, number];
  // A MySQL that knows nothing of the partition takes over what Redis says, but for its flushes.
  const stored = partitions[0] ?? { epoch: meta["epoch"], losses, flush_sequence: 0 };
  return (
    meta["epoch"] !== stored["epoch"] ||
    losses > Number(stored["losses"]) ||
    sequence < Number(stored["flush_sequence"]) ||
    committed > Number(stored["flush_sequence"])
  );
}
