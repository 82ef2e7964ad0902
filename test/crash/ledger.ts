/** What a record may be: there with a text, or this. */
export const absent = "absent";

export type Kind = "application" | "chat" | "message";

/** How an operation ended, as its client knows: for an unknown one it may have happened, now or later. */
export type Fate = "acknowledged" | "refused" | "unknown";

/**
 * A record that a writer asked for, and all that it may be now. An acknowledged operation decides; one of
 * unknown outcome adds to what is possible. Only one writer changes a record, one operation after the other.
 */
export class Entry {
  readonly id: string;
  readonly kind: Kind;
  readonly parent: Entry | undefined;
  /** Its number, or an application's token, once it was answered. */
  name: string | undefined;
  #possible: Set<string>;
  /** An application is deleted in MySQL itself: what was sent may arrive after what was sent later. */
  #sticky = new Set<string>();

  constructor(kind: Kind, id: string, parent: Entry | undefined) {
    this.id = id;
    this.kind = kind;
    this.parent = parent;
    this.#possible = new Set([absent]);
  }

  get possible(): ReadonlySet<string> {
    return this.#possible;
  }

  /** Notes that an operation is on its way; the answer says how to note its end. */
  begin(target: string): (fate: Fate) => void {
    const before = this.#possible;
    this.#possible = new Set([...before, target]);
    return (fate) => {
      if (fate === "acknowledged") this.#possible = new Set([target, ...this.#sticky]);
      if (fate === "refused") this.#possible = before;
      if (fate === "unknown" && this.kind === "application" && target === absent) this.#sticky.add(target);
    };
  }

  /** Whether it may be gone, by itself or with what it belongs to. */
  get mayBeGone(): boolean {
    return this.#possible.has(absent) || (this.parent?.mayBeGone ?? false);
  }

  get mustBeGone(): boolean {
    const isDeleted = this.#possible.size === 1 && this.#possible.has(absent);
    return isDeleted || (this.parent?.mustBeGone ?? false);
  }

  /** Where the API has it; only for a record whose name is known. */
  get path(): string {
    const collection = { application: "applications", chat: "chats", message: "messages" }[this.kind];
    return `${this.parent ? this.parent.path : "/api/v1"}/${collection}/${this.name ?? "unknown"}`;
  }
}

/** Everything that was asked of Sluice, what it answered, and where an answer was wrong in itself. */
export class Ledger {
  readonly entries = new Map<string, Entry>();
  readonly fates = new Map<string, number>();
  /** By what a call ended with that was not acknowledged. */
  readonly causes = new Map<string, number>();
  readonly problems: string[] = [];
  readonly #answered = new Map<string, string>();

  add(kind: Kind, id: string, parent?: Entry): Entry {
    const entry = new Entry(kind, id, parent);
    this.entries.set(id, entry);
    return entry;
  }

  count(operation: string, fate: Fate): void {
    increment(this.fates, `${operation} ${fate}`);
  }

  countCause(cause: string): void {
    increment(this.causes, cause);
  }

  /** Notes the number or token a record was answered; each may be answered to one record only. */
  name(entry: Entry, name: string): void {
    const place = `${entry.parent?.id ?? ""} ${entry.kind} ${name}`;
    const other = this.#answered.get(place);
    if (other !== undefined && other !== entry.id) {
      this.problems.push(
        `${entry.kind} ${name} of ${entry.parent?.id ?? "all"}: given to ${other} and ${entry.id}`,
      );
    }
    this.#answered.set(place, entry.id);
    entry.name = name;
  }

  of(kind: Kind): Entry[] {
    return [...this.entries.values()].filter((entry) => entry.kind === kind);
  }
}

export function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** The id at the head of a text made by `textOf`. */
export function idIn(text: string): string {
  return text.split("/", 1)[0] ?? "";
}

/** A text that names its record and version; the filling makes some of them long. */
export function textOf(id: string, version: number, length: number): string {
  return `${id}/${version} ${"ö✓".repeat(length)}`.trimEnd();
}
