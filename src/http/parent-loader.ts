import { LRUCache } from "lru-cache";
import { nanoid } from "nanoid";

import type { LoadReply } from "../buffer/accepting.ts";
import type { Buffer } from "../buffer/buffer.ts";
import type { Parent } from "../buffer/references.ts";
import { ApiError, applicationUnknown, chatUnknown } from "../errors.ts";
import type { EpochGuard } from "../epoch-guard.ts";
import { type KnownNumber, resumeAbove } from "../numbering.ts";
import type { Store } from "../store/store.ts";
import { finishDeletion } from "./half-deleted.ts";
import { answerable } from "./unavailable.ts";

/** A token is random, so one that is unknown now does not come into being: a flood of them is answered here. */
const unknownTokensKept = 10_000;
const unknownTokenMs = 5000;

/** Characters of a load's ticket: 96 random bits, compared only between the loads of one parent. */
const ticketLength = 16;

/** Whether a load ends with a 404. @throws what it throws else */
async function findsNothing(load: Promise<void>): Promise<boolean> {
  try {
    await load;
    return false;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return true;
    throw error;
  }
}

/** A load that is under way, as Redis began it. */
type Load = Extract<LoadReply, { readonly kind: "loading" }>;

/**
 * Makes parents known to the buffer from MySQL, each once however many requests ask for it at a time.
 *
 *     begin-load.lua ─▶ newest row ─▶ its parent's mark ─▶ the partition's epoch ─▶ (raise the mark) ─▶ seed.lua
 *
 * What is read in between is no one moment, so the order counts: what moves meanwhile is seen in the later read, or
 * makes one of the last two steps refuse. Then all of it begins again, with the next attempt to accept.
 */
export class ParentLoader {
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

  /** @throws {ApiError} 404 for a token that was found to be unknown a moment ago */
  refuseUnknown({ token }: Parent): void {
    if (this.#unknownTokens.has(token)) throw applicationUnknown(token);
  }

  /**
   * Loads a parent, or finds that something moved meanwhile: whether it is known then, the next attempt to accept says.
   *
   * @throws {ApiError} 404 where there is no such parent, 503 where it cannot be told
   */
  async load(parent: Parent): Promise<void> {
    const key = `${parent.token}:${parent.chatNumber ?? ""}`;
    const underWay = this.#loading.get(key);
    // What one that began before does not find may have been accepted since: all who came meanwhile look once more.
    if (underWay && !(await findsNothing(underWay))) return;
    // Asked anew: what was looked up meanwhile for another chat of the token counts as well.
    this.refuseUnknown(parent);
    return this.#once(key, () => this.#load(parent));
  }

  /**
   * The 404 for a parent of which the buffer knows that it, or its application, was deleted. Which of them, the buffer
   * knows as well.
   *
   * @throws {ApiError} 503 where the buffer cannot be asked
   */
  async describeDeleted({ token, chatNumber }: Parent): Promise<Error> {
    if (chatNumber === undefined) return applicationUnknown(token);
    const { kind } = await answerable(this.#buffer.reads.find({ token, number: chatNumber }));
    return kind === "gone" ? applicationUnknown(token) : chatUnknown(token, chatNumber);
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

  async #load(parent: Parent): Promise<void> {
    const isBuffered = await this.#requireParent(parent);
    const load = await answerable(this.#buffer.accepting.beginLoad(parent, nanoid(ticketLength)));
    if (load.kind === "no-epoch") return this.#compareStores(parent);
    // A parent that was deleted meanwhile stays unknown to the accept call, which then says so.
    if (load.kind !== "loading") return;
    const stored = await answerable(this.#store.numbers.under(parent));
    if (!stored) {
      if (!isBuffered) throw this.#unknown(parent);
      // A chat that only the buffer knows has no row of its own; a deleted application has none beneath it either.
      await this.#requireApplication(parent.token);
    }
    if (!(await this.#isOfOneEpoch(parent, load))) return this.#compareStores(parent);
    await this.#seed(parent, load, stored);
  }

  /** Whether both stores are of the same epoch, and MySQL still has what was flushed, as of now. */
  async #isOfOneEpoch({ token }: Parent, { epoch, committed }: Load): Promise<boolean> {
    const stored = await answerable(this.#store.epochs.read(this.#buffer.partitionOf(token)));
    return stored?.epoch === epoch && stored.flushSequence >= committed;
  }

  /** Redis was emptied under a connection that did not notice, or MySQL has forgotten. */
  async #compareStores({ token }: Parent): Promise<void> {
    const partition = this.#buffer.partitionOf(token);
    this.#epochs.doubt(partition);
    await answerable(this.#epochs.verify(partition));
  }

  /** In MySQL first: should all of Redis be lost, its mark lies above what is given from now on. */
  async #seed(parent: Parent, load: Load, stored: KnownNumber | undefined): Promise<void> {
    const { losses, buffered } = load;
    const gap = this.#buffer.limits.numberGapAfterLoss;
    // A Redis that knows of no number says nothing, unless nobody else does.
    const known = stored && buffered.greatest === 0 ? [stored] : [stored ?? buffered, buffered];
    const above = resumeAbove(known, losses, gap);
    if (stored && above > stored.greatest) await answerable(this.#store.numbers.raise(parent, above, losses));
    await answerable(this.#buffer.accepting.seed(parent, load, above));
  }

  /**
   * Whether a parent is in the buffer, and perhaps nowhere else; where it is not, at least its application is in MySQL.
   * One look for all chats of a token: a flood of wrong tokens must not reach MySQL, whatever it names, nor leave
   * anything in Redis.
   */
  async #requireParent({ token, chatNumber }: Parent): Promise<boolean> {
    if (chatNumber === undefined) {
      await this.#requireApplication(token);
      return false;
    }
    // Buffer first: a chat flushed between the two reads is found in MySQL.
    const found = await answerable(this.#buffer.reads.find({ token, number: chatNumber }));
    if (found.kind === "gone") throw applicationUnknown(token);
    if (found.kind === "absent") {
      await this.#once(token, () => this.#requireApplication(token));
      return false;
    }
    if (found.record.isDeleted) throw chatUnknown(token, chatNumber);
    // A change stands in for no row: where that is gone the chat was deleted, and Redis put back to an older copy.
    return found.kind !== "revision";
  }

  async #requireApplication(token: string): Promise<void> {
    if (await answerable(this.#store.reads.application(token))) return;
    await answerable(finishDeletion(this.#buffer, this.#store, token));
    this.#unknownTokens.set(token, true);
    throw applicationUnknown(token);
  }

  #unknown({ token, chatNumber }: Parent): Error {
    return chatNumber === undefined ? applicationUnknown(token) : chatUnknown(token, chatNumber);
  }
}
