/**
 * The search index of the simulation: what Elasticsearch does with what the indexer asks of it. A model, as a real one
 * would be hundreds of times slower than the steps between its calls, and little of it matters here: that an older
 * version never replaces a newer one, and that nothing is seen before a refresh. A test holds it to the real one.
 */
import { documentId, type MessageKey, type SearchDocument } from "../../src/search/documents.ts";
import type { ChangeResult, DocumentChange, DocumentScope } from "../../src/search/index-writer.ts";
import type { IndexedDocument, Stretch } from "../../src/search/index-reader.ts";

/** What was written last of a message. */
interface Written {
  readonly version: number;
  /** Absent where it was deleted: the version stays known, for an hour. */
  readonly document: SearchDocument | undefined;
}

export class IndexServer {
  #written = new Map<string, Written>();
  #visible = new Map<string, Written>();

  /** Begins with nothing, for a run of its own. */
  reset(): void {
    this.#written = new Map();
    this.#visible = new Map();
  }

  write(changes: readonly DocumentChange[]): ChangeResult[] {
    return changes.map(({ key, version, document }) => {
      const known = this.#written.get(documentId(key));
      if (!known || known.version < version) this.#written.set(documentId(key), { version, document });
      return { kind: "done" };
    });
  }

  refresh(): void {
    this.#visible = new Map(this.#written);
  }

  /** Deletes what is seen in a scope and was not written since; the next version is then the greater by one. */
  remove(scope: DocumentScope): void {
    for (const [id, { document, version }] of this.#visible) {
      if (!document || !isIn(scope, document) || this.#written.get(id)?.version !== version) continue;
      this.#written.set(id, { version: version + 1, document: undefined });
    }
    this.refresh();
  }

  /** What a search can find, by chat and number. */
  get documents(): readonly SearchDocument[] {
    const found = [...this.#visible.values()].flatMap(({ document }) => document ?? []);
    return found.sort((a, b) => a.chat_number - b.chat_number || a.number - b.number);
  }

  stretch({ token, after, upTo }: Stretch): IndexedDocument[] {
    const isWanted = (document: SearchDocument) =>
      document.token === token &&
      isBeyond(document, after) &&
      (upTo === undefined || !isBeyond(document, upTo));
    return this.documents.filter(isWanted).map(toIndexed);
  }

  find(token: string, ids: readonly string[]): IndexedDocument[] {
    const wanted = new Set(ids);
    const found = this.documents.map(toIndexed);
    return found.filter((document) => document.token === token && wanted.has(documentId(document)));
  }

  tokens(after: string, limit: number): string[] {
    const tokens = new Set(this.documents.map(({ token }) => token));
    return [...tokens]
      .filter((token) => token > after)
      .sort()
      .slice(0, limit);
  }
}

function isIn({ token, chatNumber }: DocumentScope, document: SearchDocument): boolean {
  return document.token === token && (chatNumber === undefined || document.chat_number === chatNumber);
}

type Place = Pick<MessageKey, "chatNumber" | "number">;

function isBeyond({ chat_number: chatNumber, number }: SearchDocument, place: Place): boolean {
  return chatNumber > place.chatNumber || (chatNumber === place.chatNumber && number > place.number);
}

function toIndexed({ token, chat_number: chatNumber, number, digest }: SearchDocument): IndexedDocument {
  return { token, chatNumber, number, digest };
}
