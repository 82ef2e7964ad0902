import type { Connection } from "../connections.ts";
import type { Keys } from "../keys.ts";
import { type Parent, parentPath, parseParentPath } from "../references.ts";
import { type Finding, type FindingKind, Findings } from "./finding.ts";

/** What a partition says of itself. */
export interface PartitionState {
  readonly epoch: string | undefined;
  readonly flushSequence: number;
  /** Losses of data before the epoch. */
  readonly losses: number;
  /** The last flush that MySQL is known to have committed. */
  readonly committed: number;
  readonly bytes: number;
  readonly owed: number;
  /** References in both lists. */
  readonly listed: number;
  /** The same at two moments only if nothing was accepted, changed or flushed in between. */
  readonly moment: string;
}

/** What changes whenever a partition does, but for the lengths of its lists. */
export const momentFields = [
  "epoch",
  "sequence",
  "touched",
  "accepted:chats",
  "accepted:messages",
  "bytes",
  "owed",
] as const;

const scannedAtOnce = 500;
/** An unusual path is shown so far. */
const shownCharacters = 80;

/** Reads what a partition keeps beside the records. */
export class PartitionStates {
  readonly #connection: Connection;
  readonly #keys: Keys;

  constructor(connection: Connection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  async read(partition: number): Promise<PartitionState> {
    const { client } = this.#connection;
    const meta = this.#keys.meta(partition);
    const [fields, chats, messages] = await Promise.all([
      client.hgetall(meta),
      client.llen(this.#keys.list(partition, "chats")),
      client.llen(this.#keys.list(partition, "messages")),
    ]);
    const number = (name: string) => (fields[name] === undefined ? undefined : Number(fields[name]));
    return {
      epoch: fields["epoch"],
      flushSequence: number("sequence") ?? 0,
      losses: number("losses") ?? 0,
      committed: number("committed") ?? 0,
      bytes: number("bytes") ?? 0,
      owed: number("owed") ?? 0,
      listed: chats + messages,
      moment: [...momentFields.map((name) => fields[name]), chats, messages].join(" "),
    };
  }

  /** Keys of the partition that hold what was accepted, or tell of it, and expire. */
  async expiring(partition: number): Promise<Finding[]> {
    const keys = [
      this.#keys.meta(partition),
      this.#keys.list(partition, "chats"),
      this.#keys.list(partition, "messages"),
      this.#keys.deadLetters(partition),
      this.#keys.deadReasons(partition),
      this.#keys.setAside(partition),
      this.#keys.dirty(partition),
      this.#keys.owedChats(partition),
      this.#keys.owedRemovals(partition),
    ];
    const { client } = this.#connection;
    const ttls = await Promise.all(keys.map((key) => client.pttl(key)));
    const expiring = keys.filter((_, at) => (ttls[at] ?? -1) >= 0);
    return expiring.map((key) => ({ kind: "expires", partition, subject: key, seen: "" }));
  }

  /** What is wrong with one chat's owed documents, whose key is there; and how many there are. */
  async judgeOwed(chat: Parent): Promise<{ owed: number; found: Finding[] }> {
    const { client } = this.#connection;
    const partition = this.#keys.partitionOf(chat.token);
    const [key, path] = [this.#keys.owed(chat), parentPath(chat)];
    const [owed, score, ttl] = await Promise.all([
      client.zcard(key),
      client.zscore(this.#keys.owedChats(partition), path),
      client.pttl(key),
    ]);
    const about = (kind: FindingKind, subject: string): Finding => ({
      kind,
      partition,
      subject,
      seen: "",
      place: chat,
    });
    const found = ttl >= 0 ? [about("expires", key)] : [];
    if (owed > 0 && score === null) found.push(about("owed-unlisted", path));
    return { owed, found };
  }

  /** Members of the sets of paths that are none, and chats of which nothing is owed. */
  async judgePaths(partition: number): Promise<Finding[]> {
    const found = new Findings();
    for (const key of [this.#keys.dirty(partition), this.#keys.owedRemovals(partition)]) {
      for await (const paths of this.#members(key)) {
        found.add(this.#odd(partition, paths));
      }
    }
    for await (const paths of this.#members(this.#keys.owedChats(partition))) {
      const odd = this.#odd(partition, paths);
      found.add(odd);
      const strange = new Set(odd.map(({ subject }) => subject));
      const chats = paths.filter((path) => !strange.has(path)).map(parseParentPath);
      const { client } = this.#connection;
      const sizes = await Promise.all(chats.map((chat) => client.zcard(this.#keys.owed(chat))));
      const empty = chats.filter((_, at) => sizes[at] === 0);
      found.add(
        empty.map((chat): Finding => {
          return { kind: "owed-nothing", partition, subject: parentPath(chat), seen: "", place: chat };
        }),
      );
    }
    return found.all;
  }

  #odd(partition: number, paths: readonly string[]): Finding[] {
    const isAtHome = (path: string) => this.#keys.partitionOf(path.split(":")[0] ?? "") === partition;
    const odd = paths.filter((path) => !isPath(path) || !isAtHome(path));
    return odd.map((path) => {
      return { kind: "odd-path", partition, subject: path.slice(0, shownCharacters), seen: "" };
    });
  }

  async *#members(key: string): AsyncGenerator<string[]> {
    const { client } = this.#connection;
    for (let cursor = "", next = "0"; cursor !== "0"; cursor = next) {
      const [after, flat] = await client.zscan(key, next, "COUNT", scannedAtOnce);
      next = after;
      yield flat.filter((_, at) => at % 2 === 0);
    }
  }
}

/** Whether it is the path of a parent. */
export function isPath(path: string): boolean {
  return /^[\w-]+(:\d+)?$/.test(path);
}
