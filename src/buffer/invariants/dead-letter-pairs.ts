import type { Connection } from "../connections.ts";
import { isSetAside, recordOf } from "../dead-letters.ts";
import type { Keys } from "../keys.ts";
import type { Reference } from "../references.ts";
import type { AwaitedRecords } from "./awaited-records.ts";
import { type Finding, type FindingKind, Findings, type Looked } from "./finding.ts";

const scannedAtOnce = 500;

/** Compares the list of dead letters with their reasons, with what is set aside, and with the records. */
export class DeadLetterPairs {
  readonly #connection: Connection;
  readonly #keys: Keys;

  constructor(connection: Connection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** Notes which awaited records are dead letters. */
  async meet(partition: number, awaited: AwaitedRecords): Promise<void> {
    for await (const ids of this.#letters(partition)) {
      for (const id of ids) {
        const reference = isSetAside(id) ? undefined : recordOf(id);
        const record = reference && awaited.at(reference);
        if (record) record.isDeadLetter = true;
      }
    }
  }

  /** What is wrong with the dead letters of a partition. */
  async look(partition: number, looked: Looked): Promise<Finding[]> {
    const found = new Findings();
    for await (const ids of this.#letters(partition)) {
      looked.deadLetters += ids.length;
      found.add(await this.#judgeLetters(partition, ids));
    }
    const pairs = [
      ["reason-without-letter", this.#keys.deadReasons(partition)],
      ["set-aside-without-letter", this.#keys.setAside(partition)],
    ] as const;
    for (const [kind, key] of pairs) {
      for await (const ids of this.#fields(key)) {
        const without = await this.#withoutLetter(partition, ids);
        found.add(without.map((id) => ({ kind, partition, subject: id, seen: "" })));
      }
    }
    return found.all;
  }

  async #judgeLetters(partition: number, ids: readonly string[]): Promise<Finding[]> {
    const { client } = this.#connection;
    const looks = await Promise.all(
      ids.map((id) =>
        Promise.all([client.hexists(this.#keys.deadReasons(partition), id), this.#hasRecord(partition, id)]),
      ),
    );
    return ids.flatMap((id, at) => {
      const [hasReason, hasRecord] = looks[at] ?? [1, true];
      const kinds: FindingKind[] = [];
      if (hasReason === 0) kinds.push("letter-without-reason");
      if (!hasRecord) kinds.push("letter-without-record");
      return kinds.map((kind) => ({ kind, partition, subject: id, seen: "", ...placeOf(recordOf(id)) }));
    });
  }

  /** Whether it is there, or went with what it belonged to. */
  async #hasRecord(partition: number, id: string): Promise<boolean> {
    const { client } = this.#connection;
    const reference = recordOf(id);
    if (isSetAside(id) || !reference) return (await client.hexists(this.#keys.setAside(partition), id)) === 1;
    const looks = await Promise.all([
      client.hexists(this.#keys.home(reference), String(reference.number)),
      client.hexists(this.#keys.counter(reference), "deleted"),
      client.hexists(this.#keys.counter({ token: reference.token }), "deleted"),
    ]);
    return looks.includes(1);
  }

  async #withoutLetter(partition: number, ids: readonly string[]): Promise<string[]> {
    if (ids.length === 0) return [];
    const scores = await this.#connection.client.zmscore(this.#keys.deadLetters(partition), ...ids);
    return ids.filter((_, at) => (scores[at] ?? null) === null);
  }

  async *#letters(partition: number): AsyncGenerator<string[]> {
    const { client } = this.#connection;
    for (let cursor = "", next = "0"; cursor !== "0"; cursor = next) {
      const [after, flat] = await client.zscan(
        this.#keys.deadLetters(partition),
        next,
        "COUNT",
        scannedAtOnce,
      );
      next = after;
      yield flat.filter((_, at) => at % 2 === 0);
    }
  }

  async *#fields(key: string): AsyncGenerator<string[]> {
    const { client } = this.#connection;
    for (let cursor = "", next = "0"; cursor !== "0"; cursor = next) {
      const [after, flat] = await client.hscan(key, next, "COUNT", scannedAtOnce);
      next = after;
      yield flat.filter((_, at) => at % 2 === 0);
    }
  }
}

function placeOf(reference: Reference | undefined): Pick<Finding, "place"> {
  if (!reference) return {};
  const { token, chatNumber, number } = reference;
  return { place: chatNumber === undefined ? { token, number } : { token, chatNumber, number } };
}
