import { LRUCache } from "lru-cache";
import { nanoid } from "nanoid";

import type { Buffer } from "../buffer/buffer.ts";
import type { Parent } from "../buffer/references.ts";
import {
  applicationUnknown,
  bufferFull,
  bufferUnavailable,
  chatUnknown,
  idempotencyKeyReused,
} from "../errors.ts";
import { encodeRecord, newRecord, type StoredNumbers } from "../records.ts";
import type { EpochGuard } from "../epoch-guard.ts";
import type { Store } from "../store/store.ts";
import type { Accepted, Acceptor, Idempotency } from "./services.ts";
import { answerable } from "./unavailable.ts";

/** A token is random, so one that is unknown now does not come into being: a flood of them is answered here. */
const unknownTokensKept = 10_000;
const unknownTokenMs = 5000;

/** Characters of an operation id: 96 random bits, compared only between two records of the same number. */
const operationIdLength = 16;

/** Calls until a parent is known: one to find that it is not, one after Redis was found empty, one after it was loaded, one to spare. */
const maxAttempts = 4;

/** The fast path: one script call, and a look into MySQL only for a parent that Redis does not know. */
export function createAcceptor(buffer: Buffer, store: Store, epochs: EpochGuard): Acceptor {
  const parents = new ParentLoader(buffer, store, epochs);

  async function accept(parent: Parent, text: string | null, requestKey?: Idempotency): Promise<Accepted> {
    parents.refuseUnknown(parent);
    const partition = buffer.partitionOf(parent.token);
    if (!epochs.isVerified(partition)) await answerable(epochs.verify(partition));
    const createdAt = new Date();
    const createdAtMs = createdAt.getTime();
    const payload = encodeRecord(newRecord(nanoid(operationIdLength), createdAtMs, text));
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const reply = await answerable(buffer.accepting.accept(parent, { payload, createdAtMs, requestKey }));
      switch (reply.kind) {
        case "accepted":
          return { number: reply.number, createdAt, isReplayed: false };
        case "replayed":
          return { number: reply.number, createdAt: new Date(reply.createdAtMs), isReplayed: true };
        case "key-reused":
          throw idempotencyKeyReused();
        case "full":
          throw bufferFull();
        case "deleted-parent":
          throw await parents.describeDeleted(parent);
        case "unknown-parent":
          await parents.load(parent);
      }
    }
    // Redis lost the parent again and again while it was being loaded.
    throw bufferUnavailable();
  }

  return {
    chat: (token, title, idempotency) => accept({ token }, title, idempotency),
    message: (token, chatNumber, body, idempotency) => accept({ token, chatNumber }, body, idempotency),
  };
}

/** Makes parents known to the buffer from MySQL, each once however many requests ask for it at a time. */
class ParentLoader {
  readonly #buffer: Buffer;
  readonly #store: Store;
  readonly #epochs: EpochGuard;
  readonly #loading = new Map<string, Promise<void>>();
  readonly #unknownTokens = new LRUCache<string, true>({ max: unknownTokensKept, ttl: unknownTokenMs });

  constructor(buffer: Buffer, store: Store, epochs: EpochGuard) {
    this.#buffer = buffer;
    this.#store = store;
    this.#epochs = epochs;
  }

  refuseUnknown({ token }: Parent): void {
    if (this.#unknownTokens.has(token)) throw applicationUnknown(token);
  }

  /** @throws {ApiError} 404 where there is no such parent, 503 where it cannot be told */
  async load(parent: Parent): Promise<void> {
    // Asked anew: what was looked up meanwhile for another chat of the token counts as well.
    this.refuseUnknown(parent);
    return this.#once(`${parent.token}:${parent.chatNumber ?? ""}`, () => this.#load(parent));
  }

  /** Starts a load unless the same is under way. */
  #once(key: string, load: () => Promise<void>): Promise<void> {
    let loading = this.#loading.get(key);
    if (!loading) {
      loading = load().finally(() => this.#loading.delete(key));
      this.#loading.set(key, loading);
    }
    return loading;
  }

  /** The 404 for a parent of which the buffer knows that it, or its application, was deleted. */
  async describeDeleted({ token, chatNumber }: Parent): Promise<Error> {
    const application = await answerable(this.#store.reads.application(token)).catch(() => undefined);
    return application && chatNumber !== undefined
      ? chatUnknown(token, chatNumber)
      : applicationUnknown(token);
  }

  async #load({ token, chatNumber }: Parent): Promise<void> {
    const numbers =
      chatNumber === undefined
        ? await this.#chatNumbers(token)
        : await this.#messageNumbers(token, chatNumber);
    const parent = chatNumber === undefined ? { token } : { token, chatNumber };
    // A parent that was deleted meanwhile stays unknown to the accept call, which then says so.
    const reply = await answerable(this.#buffer.accepting.seed(parent, numbers));
    if (reply === "no-epoch") await this.#beginEpoch(token);
  }

  /** Redis was emptied under a connection that did not notice. */
  async #beginEpoch(token: string): Promise<void> {
    const partition = this.#buffer.partitionOf(token);
    this.#epochs.doubt(partition);
    await answerable(this.#epochs.verify(partition));
  }

  async #chatNumbers(token: string): Promise<StoredNumbers> {
    const numbers = await answerable(this.#store.reads.chatNumbers(token));
    if (numbers) return numbers;
    this.#unknownTokens.set(token, true);
    throw applicationUnknown(token);
  }

  async #requireApplication(token: string): Promise<void> {
    await this.#chatNumbers(token);
  }

  async #messageNumbers(token: string, chatNumber: number): Promise<StoredNumbers> {
    // Buffer first: a chat flushed between the two reads is found in MySQL.
    const found = await answerable(this.#buffer.reads.find({ token, number: chatNumber }));
    if (found.kind === "gone") throw applicationUnknown(token);
    if (found.kind !== "absent" && found.record.isDeleted) throw chatUnknown(token, chatNumber);
    // One look for all chats of the token: a flood of wrong tokens must not reach MySQL, whatever it names.
    if (found.kind === "absent") await this.#once(token, () => this.#requireApplication(token));
    const numbers = await answerable(this.#store.reads.messageNumbers(token, chatNumber));
    if (numbers) return numbers;
    if (found.kind !== "absent") return { greatest: 0, newestAtMs: found.record.createdAtMs };
    throw chatUnknown(token, chatNumber);
  }
}
