import { digestOf, documentId, type MessageKey, type MessageText } from "./documents.ts";
import type { DocumentScope } from "./index-writer.ts";
import type { IndexedDocument, IndexReader } from "./index-reader.ts";
import { mark } from "./matching.ts";
import { tokensFrom } from "./pages.ts";
import type { Messages } from "./ports.ts";

/** How an index differs from MySQL. */
export interface Differences {
  /** Messages without a document. */
  readonly missing: number;
  /** Documents whose message says something else. */
  readonly stale: number;
  /** Documents without a message. */
  readonly extra: number;
}

export interface CompareParts {
  readonly messages: Messages;
  readonly index: Pick<IndexReader, "stretch" | "find" | "tokens">;
  /** Which applications to look at. */
  readonly accepts: (token: string) => boolean;
  /** The ids of those that are owed: the index is about to have them. */
  readonly owedAmong: (keys: readonly MessageKey[]) => Promise<ReadonlySet<string>>;
  /** Called with messages whose documents differ, to make them owed; it may wait for room. */
  readonly mend: (keys: readonly MessageKey[]) => Promise<void>;
  /** Called with an application that there is not, and of which there are documents. */
  readonly mendRemoval: (scope: DocumentScope) => Promise<void>;
  /** Called with the number of messages that were compared. */
  readonly onProgress: (messages: number) => void;
  readonly signal: AbortSignal;
}

type Kind = keyof Differences;

const pageSize = 1000;
const tokensAtOnce = 1000;

/**
 * Compares the index with MySQL, page by page over both, while writes go on, and hands on what differs. A
 * difference counts if it is there at a second look and is not owed: the indexer is then not about to mend it.
 *
 * @throws where an engine fails, or the signal aborts
 */
export async function compare(parts: CompareParts): Promise<Differences> {
  const counts = { missing: 0, stale: 0, extra: 0 };
  for await (const token of tokensFrom(parts.messages, "", false)) {
    if (parts.accepts(token)) await compareApplication(parts, token, counts);
  }
  await findDeletedApplications(parts, counts);
  return counts;
}

async function compareApplication(
  parts: CompareParts,
  token: string,
  counts: Record<Kind, number>,
): Promise<void> {
  const { messages, index, signal, onProgress } = parts;
  for (let after: { chatNumber: number; number: number } = { chatNumber: 0, number: 0 }; ;) {
    signal.throwIfAborted();
    const rows = await messages.page(token, after, pageSize);
    const last = rows.length === pageSize ? rows.at(-1) : undefined;
    const documents = await index.stretch({ token, after, upTo: last });
    const suspects = [...differences(rows, documents).values()].map(({ key }) => key);
    if (suspects.length > 0) await settleSuspects(parts, token, suspects, counts);
    onProgress(rows.length);
    if (!last) return;
    after = last;
  }
}

/** Looks again at what differs, at what is owed first: what is settled by then must be in the index. */
async function settleSuspects(
  { messages, index, owedAmong, mend }: CompareParts,
  token: string,
  suspects: readonly MessageKey[],
  counts: Record<Kind, number>,
): Promise<void> {
  for (let at = 0; at < suspects.length; at += pageSize) {
    const keys = suspects.slice(at, at + pageSize);
    const owed = await owedAmong(keys);
    const rest = keys.filter((key) => !owed.has(documentId(key)));
    if (rest.length === 0) continue;
    const rows = await messages.find(rest);
    const documents = await index.find(token, rest.map(documentId));
    const found = [...differences(rows, documents).values()];
    for (const { kind } of found) counts[kind] += 1;
    if (found.length > 0) await mend(found.map(({ key }) => key));
  }
}

/** What differs between messages and documents, by id. Pure. */
export function differences(
  rows: readonly MessageText[],
  documents: readonly IndexedDocument[],
): Map<string, { kind: Kind; key: MessageKey }> {
  const indexed = new Map(documents.map((document) => [documentId(document), document]));
  const found = new Map<string, { kind: Kind; key: MessageKey }>();
  for (const row of rows) {
    const id = documentId(row);
    const document = indexed.get(id);
    indexed.delete(id);
    if (!document) found.set(id, { kind: "missing", key: row });
    else if (document.digest !== digestOf(mark(row.body))) found.set(id, { kind: "stale", key: row });
  }
  for (const [id, key] of indexed) found.set(id, { kind: "extra", key });
  return found;
}

/** An application that has documents was there; if it is not now, it is gone for good. */
async function findDeletedApplications(parts: CompareParts, counts: Record<Kind, number>): Promise<void> {
  const { index, messages, accepts, mendRemoval, signal } = parts;
  for (let after = ""; ;) {
    signal.throwIfAborted();
    const tokens = await index.tokens(after, tokensAtOnce);
    for (const token of tokens.filter(accepts)) {
      if (await messages.hasApplication(token)) continue;
      const documents = await index.stretch({ token, after: { chatNumber: 0, number: 0 }, upTo: undefined });
      counts.extra += documents.length;
      await mendRemoval({ token });
    }
    const last = tokens.at(-1);
    if (last === undefined) return;
    after = last;
  }
}
