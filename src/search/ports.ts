import type { MessageKey, MessageText } from "./documents.ts";
import type { DocumentScope } from "./index-writer.ts";

/** What the index is owed, in one partition. It outlives every crash. */
export interface Owed {
  /** Up to `limit` documents to be written again, those that wait longest first. */
  documents(limit: number): Promise<readonly OwedDocument[]>;
  /** Takes off documents that can be found by now, unless they were owed again since. */
  settle(documents: readonly OwedDocument[]): Promise<void>;
  /** Takes off documents that the index never takes, and keeps why. */
  refuse(refusals: readonly Refusal[]): Promise<void>;
  /** Up to `limit` deleted applications and chats whose documents must go. */
  removals(limit: number): Promise<readonly DocumentScope[]>;
  settleRemoval(scope: DocumentScope): Promise<void>;
}

export interface OwedDocument extends MessageKey {
  /** A row that is read after this was is at least as new: it is written under this as its version. */
  readonly sequence: number;
}

export interface Refusal {
  readonly document: OwedDocument;
  readonly reason: string;
}

/** The messages as MySQL has them; those of deleted chats and applications are none. */
export interface Messages {
  /** Those of some that there are. */
  find(keys: readonly MessageKey[]): Promise<readonly MessageText[]>;
  /** At most `limit` of an application beyond a position, by chat and number. */
  page(
    token: string,
    after: { chatNumber: number; number: number },
    limit: number,
  ): Promise<readonly MessageText[]>;
  /** At most `limit` applications' tokens above one, in the order of their bytes. */
  tokens(after: string, limit: number): Promise<readonly string[]>;
  hasApplication(token: string): Promise<boolean>;
}

/** Time, handed in so that a test need not wait for it. */
export interface Clock {
  /** Monotonic milliseconds. */
  nowMs(): number;
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** What those who keep the index tell whoever runs them. */
export interface IndexLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
