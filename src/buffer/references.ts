/** The two lists of references that wait for the flusher; also the name of what lies in them. */
export type ListName = "chats" | "messages";

/** A record's place: the application's token, the chat's number where it is a message, its own number. */
export interface Place {
  readonly token: string;
  /** The chat a message belongs to; absent for a chat. */
  readonly chatNumber?: number;
  readonly number: number;
}

/** Who numbers a record: an application numbers its chats, a chat its messages. */
export interface Parent {
  readonly token: string;
  readonly chatNumber?: number;
}

/** Who numbers the record at a place; of a parent, itself. */
export function parentOf({
  token,
  chatNumber,
}: {
  readonly token: string;
  readonly chatNumber?: number | undefined;
}): Parent {
  return chatNumber === undefined ? { token } : { token, chatNumber };
}

/** A parent as an entry of a set: `token` for an application, `token:chat` for a chat. */
export function parentPath({ token, chatNumber }: Parent): string {
  return chatNumber === undefined ? token : `${token}:${chatNumber}`;
}

/** Reads what `parentPath` wrote. */
export function parseParentPath(path: string): Parent {
  const [token = "", chatNumber] = path.split(":");
  return chatNumber === undefined ? { token } : { token, chatNumber: Number(chatNumber) };
}

/** The head of a parent's references; the number follows. Tokens hold no colon. */
export function referencePrefix(parent: Parent): string {
  return `${parentPath(parent)}:`;
}

/**
 * Which of a parent's hashes a listed record lies in, and whether its row may be inserted ("pending", "dead")
 * or must be there to be changed ("revision").
 */
export type Origin = "pending" | "revision" | "dead";

const marks: Readonly<Record<Origin, string>> = {
  pending: "",
  revision: ":r",
  dead: ":d",
};
const originOfMark = new Map(Object.entries(marks).map(([origin, mark]) => [mark, origin as Origin]));

/** A pending list's entry: the place of a record, and where it came from. */
export interface Reference extends Place {
  readonly origin: Origin;
}

/** How a reference ends that leads to a record of this origin. */
export function markOf(origin: Origin): string {
  return marks[origin];
}

/** A pending list's entry for a record. */
export function referenceTo(place: Place, origin: Origin): string {
  return `${parentPath(place)}:${place.number}${marks[origin]}`;
}

const referencePattern = /^([\w-]+):(\d+)(?::(\d+))?((?::\w+)?)$/;

/**
 * Reads a pending list's entry: `token:number` for a chat, `token:chat:number` for a message, and a mark
 * unless it is a new record. Nothing for an entry that no version of Sluice wrote.
 */
export function parseReference(reference: string): Reference | undefined {
  const [, token = "", first, second, mark = ""] = referencePattern.exec(reference) ?? [];
  const origin = originOfMark.get(mark);
  if (token === "" || !origin) return undefined;
  if (second === undefined) return { token, number: Number(first), origin };
  return { token, chatNumber: Number(first), number: Number(second), origin };
}
