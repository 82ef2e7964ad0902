import type { Connection } from "../connections.ts";
import type { Keys } from "../keys.ts";
import { type ListName, parentPath, parseReference, type Reference } from "../references.ts";
import { type Awaited, type AwaitedRecords, placeText } from "./awaited-records.ts";
import { type Finding, type FindingKind, Findings, type Looked } from "./finding.ts";

const readAtOnce = 1000;

/** What is looked for in the lists. */
interface Search {
  readonly awaited: AwaitedRecords;
  /** The parents of this sweep; references of others are passed over. */
  readonly isMine: (parent: Reference) => boolean;
  readonly looked: Looked;
}

/** Compares the lists of references with the records that are awaited there. */
export class ListedRecords {
  readonly #connection: Connection;
  readonly #keys: Keys;

  constructor(connection: Connection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** What is wrong with the entries of a list. */
  async look(partition: number, list: ListName, search: Search): Promise<Finding[]> {
    const found = new Findings();
    const key = this.#keys.list(partition, list);
    // From the end to the beginning: flushes shorten the list meanwhile, and would shift what is counted from there.
    for (let end = -1, size = readAtOnce; size === readAtOnce; end -= readAtOnce) {
      const entries = await this.#connection.client.lrange(key, end - readAtOnce + 1, end);
      size = entries.length;
      found.add(await this.#judge(partition, list, entries, search));
    }
    return found.all;
  }

  /** Which of the awaited records no reference led to, and still does not. */
  async unlisted(awaited: AwaitedRecords): Promise<Finding[]> {
    const found = new Findings();
    const unmet = awaited.unmet();
    for (let at = 0; at < unmet.length; at += readAtOnce) {
      const page = unmet.slice(at, at + readAtOnce);
      const payloads = await this.#all(({ client }) =>
        page.map(({ home, number }) => client.hget(home, String(number))),
      );
      const still = page.filter(({ stamp }, nth) => payloads[nth]?.startsWith(stamp));
      found.add(still.map((record) => this.#unlisted(record)));
    }
    return found.all;
  }

  async #judge(
    partition: number,
    list: ListName,
    entries: readonly string[],
    { awaited, isMine, looked }: Search,
  ): Promise<Finding[]> {
    const found: Finding[] = [];
    const unknown: Reference[] = [];
    for (const entry of entries) {
      const reference = parseReference(entry);
      if (!reference || !this.#belongs(reference, partition, list)) {
        found.push({ kind: "stray", partition, subject: entry.slice(0, 80), seen: list });
      } else if (isMine(reference)) {
        looked.references += 1;
        const record = awaited.at(reference);
        if (!record) unknown.push(reference);
        else if (isMetAgain(record)) found.push(finding("listed-twice", partition, reference));
      }
    }
    return [...found, ...(await this.#judgeUnknown(partition, unknown))];
  }

  #belongs(reference: Reference, partition: number, list: ListName): boolean {
    const isOfList = (reference.chatNumber === undefined) === (list === "chats");
    return isOfList && this.#keys.partitionOf(reference.token) === partition;
  }

  /** References that lead to nothing, or to what came since. */
  async #judgeUnknown(partition: number, references: readonly Reference[]): Promise<Finding[]> {
    if (references.length === 0) return [];
    const looks = await this.#all(({ client }) =>
      references.flatMap((reference) => [
        client.hexists(this.#keys.home(reference), String(reference.number)),
        client.hexists(this.#keys.pending(reference), String(reference.number)),
        client.hexists(this.#keys.counter(reference), "deleted"),
        client.hexists(this.#keys.counter({ token: reference.token }), "deleted"),
      ]),
    );
    return references.flatMap((reference, at) => {
      const [isThere, isPending, ...marks] = looks.slice(4 * at, 4 * at + 4);
      if (isThere === 1) {
        const isTwin = reference.origin === "revision" && isPending === 1;
        return isTwin ? [finding("listed-twice", partition, reference)] : [];
      }
      return marks.includes(1) ? [] : [finding("dangling", partition, reference)];
    });
  }

  #unlisted(record: Awaited): Finding {
    const { parent, number, homeName, stamp } = record;
    const list = parent.chatNumber === undefined ? "chats" : "messages";
    return {
      kind: "unlisted",
      partition: this.#keys.partitionOf(parent.token),
      subject: placeText(record),
      seen: `${homeName} ${stamp}`,
      place: { ...parent, number },
      unlisted: { list, homeName, stamp },
    };
  }

  async #all<T>(commands: (connection: Connection) => Promise<T>[]): Promise<T[]> {
    return Promise.all(commands(this.#connection));
  }
}

function isMetAgain(record: Awaited): boolean {
  record.listed += 1;
  return record.listed + (record.isDeadLetter ? 1 : 0) > 1;
}

function finding(kind: FindingKind, partition: number, reference: Reference): Finding {
  const { token, chatNumber, number, origin } = reference;
  const place = chatNumber === undefined ? { token, number } : { token, chatNumber, number };
  return { kind, partition, subject: `${parentPath(reference)}:${number}`, seen: origin, place };
}
