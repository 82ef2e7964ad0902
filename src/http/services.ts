import type { RequestKey } from "../buffer/accepting.ts";
import type { Application, Chat, Content, Message } from "../records/records.ts";
import type { Query } from "../search/matching.ts";
import type { EngineName } from "../search/search.ts";

/** Where a list begins and how long a page is. `number` counts from 1; `after` is the last number seen. */
export interface PageRequest {
  readonly start:
    { readonly kind: "page"; readonly number: number } | { readonly kind: "after"; readonly after: number };
  readonly perPage: number;
  readonly order: "asc" | "desc";
}

/** One page of a list; `hasNext` says whether another record follows it. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly hasNext: boolean;
}

/** A client's wish that a repeated POST be the same POST: its key, and a digest of the body it came with. */
export type Idempotency = RequestKey;

/** What a fast POST was given: the record's number and the time of its request. */
export interface Accepted {
  readonly number: number;
  readonly createdAt: Date;
  /** Whether this is the answer to an earlier POST with the same idempotency key. */
  readonly isReplayed: boolean;
}

/** A new application, or the one that an earlier POST with the same idempotency key made. */
export interface CreatedApplication {
  readonly application: Application;
  readonly isReplayed: boolean;
}

/** Accepts chats and messages: when a promise resolves, the record is numbered and kept. */
export interface Acceptor {
  /** @throws {ApiError} `applicationUnknown`, `idempotencyKeyReused`, `bufferFull`, `bufferUnavailable`, … */
  chat(token: string, content: Content, idempotency?: Idempotency): Promise<Accepted>;
  /** @throws {ApiError} `applicationUnknown`, `chatUnknown`, `idempotencyKeyReused`, `bufferFull`, … */
  message(token: string, chatNumber: number, content: Content, idempotency?: Idempotency): Promise<Accepted>;
}

/**
 * Changes what exists, pending or stored, at once for every reader. A missing record is thrown as the 404 of
 * the contract. A deleted number is never given again. Of a chat or message what a change does not name stays as it is.
 */
export interface Changer {
  createApplication(name: string, idempotency?: Idempotency): Promise<CreatedApplication>;
  updateApplication(token: string, name: string): Promise<Application>;
  deleteApplication(token: string): Promise<void>;
  updateChat(token: string, number: number, change: Partial<Content>): Promise<Chat>;
  deleteChat(token: string, number: number): Promise<void>;
  updateMessage(
    token: string,
    chatNumber: number,
    number: number,
    change: Partial<Content>,
  ): Promise<Message>;
  deleteMessage(token: string, chatNumber: number, number: number): Promise<void>;
}

/** Reads what was accepted, flushed or not. A missing record is thrown as the 404 of the contract. */
export interface Reader {
  applications(page: PageRequest): Promise<Page<Application>>;
  application(token: string): Promise<Application>;
  chats(token: string, page: PageRequest): Promise<Page<Chat>>;
  chat(token: string, number: number): Promise<Chat>;
  messages(token: string, chatNumber: number, page: PageRequest): Promise<Page<Message>>;
  message(token: string, chatNumber: number, number: number): Promise<Message>;
}

/** A page of a search: the best match first. */
export interface FoundPage extends Page<Message> {
  /** Who searched what is stored. */
  readonly engine: EngineName;
  /** Whether the engine that should have answered could not, or not everything that is pending was looked at. */
  readonly degraded: boolean;
}

/** Searches a chat's messages, accepted or stored. A missing chat is thrown as the 404 of the contract. */
export interface Searcher {
  messages(token: string, chatNumber: number, query: Query, page: NumberedPage): Promise<FoundPage>;
}

/** A page by its number, counted from 1. */
export interface NumberedPage {
  readonly number: number;
  readonly perPage: number;
}

/** One thing `/readyz` looks at; `ready` is false where the API cannot do its work without it. */
export interface Check {
  readonly name: string;
  readonly ready: boolean;
  readonly detail: string;
}

/** All that the routes need, handed in by whoever wires the program. */
export interface Services {
  readonly accept: Acceptor;
  readonly read: Reader;
  readonly change: Changer;
  readonly search: Searcher;
  /** Answers within a second whatever is down; never throws. */
  readiness(verbose: boolean): Promise<readonly Check[]>;
  /** The Prometheus text of `/metrics`. */
  metrics(): Promise<string>;
}
