/** What is known of a record from what clients were told: every write, when it was asked for and answered. */

/** A moment is a place in the order of all that clients asked and were told. */
export type Moment = number;

export interface Interval {
  readonly from: Moment;
  readonly to: Moment;
}

export interface Write {
  readonly kind: "create" | "update" | "delete";
  /** Of a deletion, whether an operator threw the record away. */
  readonly text: string | null;
  readonly from: Moment;
  /** When it was acknowledged; for ever later where that is not known. */
  to: Moment;
  /** Acknowledged, and nothing has been lost since. */
  isCertain: boolean;
  /** From before a loss: it comes about no more. */
  isOver?: true;
}

/**
 * What a loss has left of a record: how readers find it, once what an older copy brought back is dropped, and how they
 * may find it until then; or that it is gone.
 */
export type Left =
  | {
      readonly isThere: true;
      readonly text: string | null;
      /** Older texts, which may be shown. */
      readonly older: readonly (string | null)[];
      /** Whether it lies among the dead letters though it has landed. */
      readonly isLetter: boolean;
    }
  | {
      readonly isThere: false;
      /** Whether something beneath it is left, and may be shown. */
      readonly isOccupied: boolean;
    };

/** A POST of which nobody knows whether it was accepted. */
export interface OpenPost {
  readonly text: string | null;
  readonly identity: string;
  readonly from: Moment;
  /** The number under which it was seen. */
  number?: number;
}

interface GivenNumber {
  readonly number: number;
  readonly from: Moment;
  readonly to: Moment;
  readonly isReplayed: boolean;
}

/** An application, a chat or a message. */
export class RecordModel {
  readonly path: string;
  readonly parent: RecordModel | undefined;
  readonly number: number;
  readonly writes: Write[] = [];
  /** What lies beneath it, by number. */
  readonly children = new Map<number, RecordModel>();
  /** To which POST each number beneath it was given. */
  readonly given = new Map<number, string>();
  /** Numbers that were lost in a way that nobody can notice: they may be given once more. */
  readonly forgiven = new Set<number>();
  readonly numbered: GivenNumber[] = [];
  readonly openPosts: OpenPost[] = [];
  /** Since when it was there for certain, as something was accepted beneath it, whatever was lost before. */
  provenFrom: Moment = Infinity;
  /** What was left of it by a loss, as long as what came back with an older copy may not be dropped yet. */
  left: Left | undefined;

  constructor(path: string, number: number, parent?: RecordModel) {
    this.path = path;
    this.number = number;
    this.parent = parent;
  }

  /** For messages to people: without the token. */
  get shownPath(): string {
    return this.path.replace(/^[^:]*/, "app");
  }

  get level(): "application" | "chat" | "message" {
    if (!this.parent) return "application";
    return this.parent.parent ? "message" : "chat";
  }

  /** Whether anybody was told of it, or shown it. */
  get isKnown(): boolean {
    return this.writes.length > 0;
  }

  /** Whether it is certain to be there: else nobody may know of its number after a loss. */
  get isSettled(): boolean {
    return this.settledText !== undefined && this.settledText !== "deleted";
  }

  /** Deleted, whether what lies beneath it may be shown all the same, as it came back with an older copy of Redis. */
  get mayBeOccupied(): boolean {
    return this.left?.isThere === false && this.left.isOccupied;
  }

  /** Whether a text came back with an older copy of Redis, and may be shown until it is dropped. */
  mayBeOlder(text: string | null): boolean {
    return this.left?.isThere === true && this.left.older.includes(text);
  }

  /** It, and all it lies beneath. */
  get line(): readonly RecordModel[] {
    return this.parent ? [this, ...this.parent.line] : [this];
  }

  /** How it was deleted. */
  get deletion(): "deleted" | "discarded" {
    return this.writes.some(({ kind, text }) => kind === "delete" && text !== null) ? "discarded" : "deleted";
  }

  /** Whether every reader who asks from a moment on must be told that it is not there. */
  mustBeGone(from: Moment): boolean {
    return this.deletedAncestor(from) !== undefined;
  }

  /** It, or what it lies beneath, if that is deleted for certain from a moment on. */
  deletedAncestor(from: Moment): RecordModel | undefined {
    return this.line.findLast(({ writes }) =>
      writes.some(({ kind, isCertain, to }) => kind === "delete" && isCertain && to < from),
    );
  }

  /** Whether every reader who asks within an interval must find it. */
  mustExist({ from, to }: Interval): boolean {
    return this.line.every(
      ({ writes, provenFrom }) =>
        (provenFrom < from ||
          writes.some((write) => write.kind !== "delete" && write.isCertain && write.to < from)) &&
        !writes.some((write) => write.kind === "delete" && !write.isOver && write.from < to),
    );
  }

  /**
   * Whether a reader may be shown a text: somebody wrote it, and nobody over it before the reader asked. Of writes that
   * `isIgnored` nothing is known.
   */
  mayShow(
    text: string | null,
    { from, to }: Interval,
    isIgnored: (write: Write) => boolean = () => false,
  ): boolean {
    const texts = this.writes.filter(({ kind }) => kind !== "delete");
    return texts.some(
      (write) =>
        write.text === text &&
        write.from < to &&
        !texts.some(
          (later) => later.isCertain && later.from > endOf(write) && later.to < from && !isIgnored(later),
        ),
    );
  }

  /** What was acknowledged last, if nothing about it is open. */
  get settledText(): { readonly text: string | null } | "deleted" | undefined {
    const writes = this.writes.filter(({ isOver }) => !isOver);
    const [first, ...others] = writes;
    if (!first || writes.some(({ isCertain }) => !isCertain)) return undefined;
    if (writes.some(({ kind }) => kind === "delete")) return "deleted";
    return { text: others.reduce((latest, write) => (write.to > latest.to ? write : latest), first).text };
  }

  /** Something was lost: none of what was acknowledged is certain any more. */
  doubt(kinds: readonly Write["kind"][] = ["create", "update", "delete"]): void {
    for (const write of this.writes) if (kinds.includes(write.kind)) write.isCertain = false;
  }

  /**
   * Something was lost at a moment, and this is what is left for certain. What was acknowledged before comes about no
   * more; what was not still may, but for its creation.
   */
  keep(left: Left, at: Moment): void {
    for (const write of this.writes) {
      write.isCertain = false;
      if (write.to === Infinity && write.kind !== "create") continue;
      write.isOver = true;
      write.to = Math.min(write.to, at - 1);
    }
    const of = left.isThere
      ? ({ kind: "create", text: left.text } as const)
      : ({ kind: "delete", text: null } as const);
    this.writes.push({ ...of, from: at, to: at, isCertain: true });
    this.left = left;
  }

  /** Something was accepted beneath it: it is there, and so is what it lies beneath. */
  prove(at: Moment): void {
    for (const record of this.line) record.provenFrom = Math.min(record.provenFrom, at);
  }

  *all(): Generator<RecordModel> {
    yield this;
    for (const child of this.children.values()) yield* child.all();
  }
}

/** A write that is not certain may come about at any time, until it is over. */
function endOf({ isCertain, isOver, to }: Write): Moment {
  return isCertain || isOver ? to : Infinity;
}
