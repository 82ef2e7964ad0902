import type { Client, estypes } from "@elastic/elasticsearch";

import { documentId, type MessageKey, type SearchDocument } from "./documents.ts";
import { statusOf } from "./elastic-client.ts";

/** What a message's document is to become, unless it has become something newer. */
export interface DocumentChange {
  readonly key: MessageKey;
  /** Only grows from change to change of a message. */
  readonly version: number;
  /** Absent where the message is gone. */
  readonly document: SearchDocument | undefined;
}

/** What became of a change. */
export type ChangeResult =
  /** It is in every index, or something newer is. */
  | { readonly kind: "done" }
  /** It may go through later. */
  | { readonly kind: "retry"; readonly reason: string }
  /** The index will never take it. */
  | { readonly kind: "refused"; readonly reason: string };

/** A part of a chat's or an application's documents. */
export interface DocumentScope {
  readonly token: string;
  /** Absent for all of an application. */
  readonly chatNumber?: number;
}

/** The size of one `_bulk` call: well under the 100 MB that Elasticsearch takes by default. */
const maxBulkCharacters = 4 * 1024 * 1024;
/** Documents that one call removes, so that it is answered in time. */
const removalsAtOnce = 10_000;

const done: ChangeResult = { kind: "done" };

/** Writes documents to every index that must have them. */
export class IndexWriter {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Writes changes to each target; one result for each change, in their order. @throws where a call fails */
  async write(targets: readonly string[], changes: readonly DocumentChange[]): Promise<ChangeResult[]> {
    let results: ChangeResult[] = changes.map(() => done);
    for (const target of targets) {
      const found = await this.#writeTo(target, changes);
      results = results.map((result, at) => worse(result, found[at] ?? done));
    }
    return results;
  }

  /** Removes every document in a scope that can be found. @throws where a call fails */
  async remove(targets: readonly string[], { token, chatNumber }: DocumentScope): Promise<void> {
    const filter: estypes.QueryDslQueryContainer[] = [
      { term: { token } },
      ...(chatNumber === undefined ? [] : [{ term: { chat_number: chatNumber } }]),
    ];
    for (let deleted = removalsAtOnce; deleted >= removalsAtOnce;) {
      const answer = await this.#client.deleteByQuery({
        index: [...targets],
        routing: token,
        query: { bool: { filter } },
        conflicts: "proceed",
        max_docs: removalsAtOnce,
        refresh: true,
      });
      if ((answer.failures?.length ?? 0) > 0) throw new Error("some documents could not be removed");
      deleted = (answer.deleted ?? 0) + (answer.version_conflicts ?? 0);
    }
  }

  async #writeTo(target: string, changes: readonly DocumentChange[]): Promise<ChangeResult[]> {
    const results: ChangeResult[] = [];
    for (const part of inParts(changes)) results.push(...(await this.#bulk(target, part)));
    return results;
  }

  async #bulk(target: string, changes: readonly DocumentChange[]): Promise<ChangeResult[]> {
    try {
      const operations = changes.flatMap(toOperations);
      const answer = await this.#client.bulk({ index: target, require_alias: true, operations });
      return answer.items.map((item) => resultOf(item.index ?? item.delete));
    } catch (error) {
      if (statusOf(error) !== 413) throw error;
      // Somebody has set the server's limit lower than we take it to be.
      if (changes.length === 1) return [{ kind: "refused", reason: "larger than the server takes" }];
      const half = changes.length >> 1;
      return [
        ...(await this.#bulk(target, changes.slice(0, half))),
        ...(await this.#bulk(target, changes.slice(half))),
      ];
    }
  }
}

type Operation = estypes.BulkOperationContainer | SearchDocument;

function toOperations({ key, version, document }: DocumentChange): Operation[] {
  const target = {
    _id: documentId(key),
    routing: key.token,
    version,
    version_type: "external" as const,
  };
  return document ? [{ index: target }, document] : [{ delete: target }];
}

/** Cut such that no part is larger than a call should be. */
function* inParts(changes: readonly DocumentChange[]): Generator<DocumentChange[]> {
  let part: DocumentChange[] = [];
  let characters = 0;
  for (const change of changes) {
    const size = 200 + (change.document?.text.length ?? 0);
    if (part.length > 0 && characters + size > maxBulkCharacters) {
      yield part;
      [part, characters] = [[], 0];
    }
    part.push(change);
    characters += size;
  }
  if (part.length > 0) yield part;
}

/**
 * A call is answered 200 whatever became of its items. An older change than the index has is done; a document
 * that the mapping does not take never goes in; anything else is about the server and passes.
 */
function resultOf(item: estypes.BulkResponseItem | undefined): ChangeResult {
  if (!item) return { kind: "retry", reason: "no answer" };
  const { status, error } = item;
  if (status < 300 || status === 409 || (status === 404 && !error)) return done;
  const reason = error?.type ?? `status ${status}`;
  return { kind: status === 400 && !isAboutTheIndex(reason) ? "refused" : "retry", reason };
}

function isAboutTheIndex(reason: string): boolean {
  return ["index_closed_exception", "invalid_index_name_exception", "no_write_index_exception"].includes(
    reason,
  );
}

const badness = { done: 0, refused: 1, retry: 2 };

function worse(a: ChangeResult, b: ChangeResult): ChangeResult {
  return badness[b.kind] > badness[a.kind] ? b : a;
}
