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
}

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
      ({ writes }) =>
        writes.some((write) => write.kind !== "delete" && write.isCertain && write.to < from) &&
        !writes.some((write) => write.kind === "delete" && write.from < to),
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
    if (this.writes.length === 0 || this.writes.some(({ isCertain }) => !isCertain)) return undefined;
    if (this.writes.some(({ kind }) => kind === "delete")) return "deleted";
    const last = this.writes.reduce((latest, write) => (write.to > latest.to ? write : latest));
    return { text: last.text };
  }

  /** Something was lost: none of what was acknowledged is certain any more. */
  doubt(kinds: readonly Write["kind"][] = ["create", "update", "delete"]): void {
    for (const write of this.writes) if (kinds.includes(write.kind)) write.isCertain = false;
  }

  *all(): Generator<RecordModel> {
    yield this;
    for (const child of this.children.values()) yield* child.all();
  }
}

/** A write that is not certain may come about at any time. */
function endOf({ isCertain, to }: Write): Moment {
  return isCertain ? to : Infinity;
}
