import type { Connection } from "../connections.ts";
import type { Keys } from "../keys.ts";
import { type Origin, parentOf, parentPath, referenceTo } from "../references.ts";
import type { Scripts } from "../scripts.ts";
import type { Finding, FindingKind } from "./finding.ts";
import type { HomeName } from "./homes.ts";
import { momentFields } from "./partition-state.ts";

type Act = (finding: Finding) => Promise<boolean>;

/** As what a record is listed that lies in a home. */
const originIn: Readonly<Record<HomeName, Origin>> = {
  pending: "pending",
  revisions: "revision",
  dead: "dead",
};

const lostReason = "unknown: its reason was lost";

/**
 * Puts right what can be without a guess: totals, expiries, and references that are missing. Each act is one step in
 * Redis that looks again before it writes.
 */
export class Mending {
  readonly #connection: Connection;
  readonly #scripts: Scripts;
  readonly #keys: Keys;
  readonly #acts: Partial<Record<FindingKind, Act>>;

  constructor(connection: Connection, scripts: Scripts, keys: Keys) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#keys = keys;
    const counter: Act = (finding) => this.#counter(finding);
    const letter: Act = (finding) => this.#letter(finding);
    const owed: Act = (finding) => this.#owed(finding);
    this.#acts = {
      "partition-bytes": (finding) => this.#total("bytes", finding),
      "owed-total": (finding) => this.#total("owed", finding),
      "counter-bytes": counter,
      "counter-expires": counter,
      "counter-behind-pending": counter,
      "counter-not-dense": counter,
      "counter-behind-mysql": counter,
      expires: ({ subject }) => this.#persist(subject),
      unlisted: (finding) => this.#unlisted(finding),
      "owed-unlisted": owed,
      "owed-nothing": owed,
      "letter-without-reason": letter,
      "reason-without-letter": letter,
      "set-aside-without-letter": letter,
    };
  }

  /** Whether such a thing is ever put right. */
  canMend({ kind }: Finding): boolean {
    return this.#acts[kind] !== undefined;
  }

  /**
   * Puts right what was found; answers how many findings that were. Others passed by, or moved since: a look
   * afterwards tells.
   */
  async mend(findings: readonly Finding[]): Promise<number> {
    let mended = 0;
    // Totals first: they are of the moment of the look, and what follows changes the lists.
    const isTotal = ({ expected, place }: Finding) => expected !== undefined && !place;
    for (const finding of [...findings.filter(isTotal), ...findings.filter((one) => !isTotal(one))]) {
      if (await this.#acts[finding.kind]?.(finding)) mended += 1;
    }
    return mended;
  }

  async #total(field: "bytes" | "owed", { partition, expected, moment }: Finding): Promise<boolean> {
    if (expected === undefined || moment === undefined) return false;
    const keys = [
      this.#keys.meta(partition),
      this.#keys.list(partition, "chats"),
      this.#keys.list(partition, "messages"),
    ];
    return this.#run("mend-total", keys, [field, expected, moment, ...momentFields]);
  }

  async #counter({ partition, place, expected }: Finding): Promise<boolean> {
    if (!place) return false;
    const parent = parentOf(place);
    const keys = [this.#keys.meta(partition), ...this.#keys.beneath(parent)];
    return this.#run("mend-counter", keys, [expected ?? 0]);
  }

  /** A key that holds records is never to expire, whatever became of it since. */
  async #persist(key: string): Promise<boolean> {
    return (await this.#connection.client.persist(key)) === 1;
  }

  async #unlisted({ partition, place, unlisted }: Finding): Promise<boolean> {
    if (!unlisted || !place || !("number" in place)) return false;
    const { list, homeName, stamp } = unlisted;
    const keys = [
      this.#keys.list(partition, list),
      this.#keys[homeName](place),
      this.#keys.pending(place),
      this.#keys.deadLetters(partition),
    ];
    const reference = referenceTo(place, originIn[homeName]);
    return this.#run("mend-listing", keys, [place.number, stamp, reference]);
  }

  async #owed({ partition, place }: Finding): Promise<boolean> {
    if (!place) return false;
    const chat = parentOf(place);
    return this.#run(
      "mend-owed",
      [this.#keys.owedChats(partition), this.#keys.owed(chat)],
      [parentPath(chat)],
    );
  }

  async #letter({ partition, subject }: Finding): Promise<boolean> {
    const keys = [
      this.#keys.deadLetters(partition),
      this.#keys.deadReasons(partition),
      this.#keys.setAside(partition),
    ];
    return this.#run("mend-letter", keys, [subject, Date.now(), lostReason]);
  }

  async #run(
    name: Parameters<Scripts["run"]>[0],
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<boolean> {
    return (await this.#scripts.run(name, keys, args)) === 1;
  }
}
