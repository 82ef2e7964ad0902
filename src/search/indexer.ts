import { documentId, toDocument } from "./documents.ts";
import type { ChangeResult, DocumentChange, IndexWriter } from "./index-writer.ts";
import type { Indices } from "./indices.ts";
import { type LoopParts, repeat } from "./loop.ts";
import type { Messages, Owed, OwedDocument, Refusal } from "./ports.ts";
import { IndexBusyError } from "./rebuild.ts";

/**
 * Writes what the index is owed. A round:
 *
 *   owed, with their sequences ─▶ rows of MySQL ─▶ targets ─▶ `_bulk`, version = sequence ─▶ refresh ─▶ settle
 *
 * The order is what makes it right. Rows are read after the sequence, so a document is at least as new as its
 * version says; targets are read after both, so a change that misses a new index was committed before that
 * was there, and the rebuild reads it. What is taken off is visible to a search. A crash anywhere leaves it
 * owed, and the round is done again: a document that is there already, or newer, answers 409.
 */

/** Documents in one round: enough for one refresh to be worth it. */
const documentsAtOnce = 2000;
const removalsAtOnce = 10;
/** Fewer are worth waiting for others, so that there is not a refresh for each. */
const worthGoingOn = 200;
/** How long a message that was flushed while nothing was owed waits to be seen. */
const idleMs = 250;

export interface IndexerParts extends LoopParts {
  readonly owed: Owed;
  readonly messages: Messages;
  readonly indices: Pick<Indices, "targets" | "refresh">;
  readonly writer: Pick<IndexWriter, "write" | "remove">;
}

export class Indexer {
  readonly #parts: IndexerParts;

  constructor(parts: IndexerParts) {
    this.#parts = parts;
  }

  /** Resolves after the signal aborted and the round in hand is done. */
  async run(signal: AbortSignal): Promise<void> {
    const failure = "the search index cannot be written; what it is owed waits";
    await repeat(this.#parts, signal, { idleMs, failure }, () => this.round());
  }

  /** One round; answers whether to go on at once. @throws where an engine fails; all in hand is still owed */
  async round(): Promise<boolean> {
    const { owed } = this.#parts;
    const documents = await owed.documents(documentsAtOnce);
    const removals = await owed.removals(removalsAtOnce);
    if (documents.length > 0) await this.#write(documents);
    if (removals.length > 0) await this.#remove(removals);
    return documents.length >= worthGoingOn || removals.length === removalsAtOnce;
  }

  async #write(documents: readonly OwedDocument[]): Promise<void> {
    const { owed, messages, indices, writer, log } = this.#parts;
    const rows = new Map((await messages.find(documents)).map((row) => [documentId(row), row]));
    const changes = documents.map((key): DocumentChange => {
      const row = rows.get(documentId(key));
      return { key, version: key.sequence, document: row && toDocument(row) };
    });
    const targets = await this.#targets();
    const results = await writer.write(targets, changes);
    await indices.refresh(targets);
    await owed.settle(documents.filter((_, at) => results[at]?.kind === "done"));
    const refusals = documents.flatMap((document, at): Refusal[] => {
      const result = results[at];
      return result?.kind === "refused" ? [{ document, reason: result.reason }] : [];
    });
    if (refusals.length > 0) {
      const reasons = [...new Set(refusals.map(({ reason }) => reason))];
      log.error({ documents: refusals.length, reasons }, "the search index does not take some messages");
      await owed.refuse(refusals);
    }
    const late = results.find((result): result is Late => result.kind === "retry");
    if (late) throw new IndexBusyError(late);
  }

  async #remove(removals: Awaited<ReturnType<Owed["removals"]>>): Promise<void> {
    const { owed, indices, writer } = this.#parts;
    const targets = await this.#targets();
    // A removal finds what a search can find.
    await indices.refresh(targets);
    for (const scope of removals) {
      await writer.remove(targets, scope);
      await owed.settleRemoval(scope);
    }
  }

  async #targets(): Promise<string[]> {
    const targets = await this.#parts.indices.targets();
    if (targets.length === 0) throw new IndexBusyError({ kind: "retry", reason: "there is no index yet" });
    return targets;
  }
}

type Late = Extract<ChangeResult, { kind: "retry" }>;
