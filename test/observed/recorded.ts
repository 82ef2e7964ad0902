/** Where a record is: an application's token, then the numbers of its chat and of its message, with `/` between. */
export type Path = string;

/**
 * How a call ended, as its client knows. One of unknown outcome (no answer, or a 503 that does not say that nothing
 * was done) may have been carried out, or may be yet.
 */
export type Outcome = "done" | "missing" | "refused" | "unknown";

/** What every call ends with. */
export interface Call {
  readonly outcome: Outcome;
  /** What the answer names as the reason why it was not done; for people. */
  readonly code?: string;
}

export interface Post extends Call {
  readonly do: "post";
  /** What it is made in; empty for an application. */
  readonly parent: Path;
  /** Unlike any other but where a key is sent again. */
  readonly text: string;
  readonly key: string | undefined;
  /** The number or token that was answered. */
  readonly name: string | undefined;
  /** Whether the answer says that it is an earlier one come again. */
  readonly isReplayed: boolean;
}

export interface Update extends Call {
  readonly do: "update";
  readonly path: Path;
  readonly text: string;
  /** The text in the answer, which may be that of a later change. */
  readonly seen: string | undefined;
}

export interface Read extends Call {
  readonly do: "read";
  readonly path: Path;
  readonly seen: string | undefined;
}

export interface Removal extends Call {
  /** A client deletes it, or an operator throws it away as a dead letter. */
  readonly do: "delete" | "discard";
  readonly path: Path;
}

export interface Item {
  readonly number: number;
  readonly text: string;
}

export interface Listing extends Call {
  readonly do: "list";
  readonly parent: Path;
  readonly order: "asc" | "desc";
  readonly items: readonly Item[];
  /** Every number from the one to the other would be on this page, if there were such a record. */
  readonly from: number;
  readonly to: number;
}

/** What happens to the stores as a whole; see `record-model.ts`. */
export interface StoreEvent {
  readonly do: "drain" | "copy" | "lose" | "put back";
}

export type Act = Post | Update | Read | Removal | Listing | StoreEvent;

/** Something that was done, by whom and when: milliseconds of one clock that never goes back. */
export type Recorded = Act & {
  readonly client: string;
  readonly beganMs: number;
  readonly endedMs: number;
};

/** What a record is made in; empty for an application. */
export function parentOf(path: Path): Path {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** The path of a record by what it is made in and its name there. */
export function pathIn(parent: Path, name: string | number): Path {
  return parent === "" ? String(name) : `${parent}/${name}`;
}

/** An application is made, changed and deleted in MySQL itself, and no loss of Redis touches it. */
export function isApplication(path: Path): boolean {
  return !path.includes("/");
}
