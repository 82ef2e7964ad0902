import { documentId, type MessageText, toDocument } from "./documents.ts";
import type { ChangeResult, DocumentChange, IndexWriter } from "./index-writer.ts";
import { type Indices, writeAlias } from "./indices.ts";
import { pagesBeyond } from "./pages.ts";
import type { Messages } from "./ports.ts";

/**
 * The version of a document that a rebuild writes. It is less than every sequence, so whatever is owed wins,
 * earlier or later: a rebuild only fills in what nobody has touched since the index became a target.
 */
const filledVersion = 1;
/** The version of its deletion, where the message went while its page was in hand. */
const emptiedVersion = 2;

const defaultPageSize = 1000;
/** How often it is noted how far a rebuild has come: a kill costs that much work. */
const noteEveryPages = 20;

export interface RebuildParts {
  readonly indices: Indices;
  readonly writer: IndexWriter;
  readonly messages: Messages;
  readonly signal: AbortSignal;
  readonly pageSize?: number;
  /** Called with the number of messages of each page that is in the index. */
  readonly onProgress: (messages: number) => void;
}

export interface Rebuilt {
  readonly index: string;
  readonly isResumed: boolean;
  readonly messages: number;
  /** Messages that the index does not take. */
  readonly refused: number;
}

/**
 * Fills a new index from MySQL while writes go on, then makes it the one that is searched. The new index is a
 * target before the first row is read: a change that the indexer writes without it was committed before that,
 * and so is read. Begun again after a crash, it goes on where it was. Two at a time do the same work twice
 * and no harm.
 *
 * @throws where MySQL or Elasticsearch fails, or the signal aborts; what was done stays done
 */
export async function rebuild(parts: RebuildParts): Promise<Rebuilt> {
  const { indices, messages, signal, onProgress, pageSize = defaultPageSize } = parts;
  const { index, position } = await indices.beginFilling();
  const target = writeAlias(index);
  let [count, refused, pages] = [0, 0, 0];
  for await (const page of readAhead(pagesBeyond(messages, position, pageSize))) {
    signal.throwIfAborted();
    refused += await fill(parts, target, page);
    count += page.length;
    pages += 1;
    onProgress(page.length);
    const last = page.at(-1);
    if (last && pages % noteEveryPages === 0) {
      const { token, chatNumber, number } = last;
      await indices.notePosition(index, { token, chatNumber, number });
    }
  }
  await indices.finishFilling(index);
  return { index, isResumed: position !== undefined, messages: count, refused };
}

/** Writes a page, and takes back what was deleted meanwhile; answers how many documents were refused. */
async function fill(
  { writer, messages }: RebuildParts,
  target: string,
  page: readonly MessageText[],
): Promise<number> {
  const refused = await write(
    writer,
    target,
    page.map((key) => ({ key, version: filledVersion, document: toDocument(key) })),
  );
  // The removal of a chat or an application may have looked for documents before these were there.
  const left = new Set((await messages.find(page)).map(documentId));
  const gone = page.filter((key) => !left.has(documentId(key)));
  await write(
    writer,
    target,
    gone.map((key) => ({ key, version: emptiedVersion, document: undefined })),
  );
  return refused;
}

async function write(
  writer: IndexWriter,
  target: string,
  changes: readonly DocumentChange[],
): Promise<number> {
  if (changes.length === 0) return 0;
  const results = await writer.write([target], changes);
  const late = results.find((result) => result.kind === "retry");
  if (late) throw new IndexBusyError(late);
  return results.filter(({ kind }) => kind === "refused").length;
}

/** Thrown where Elasticsearch did not take what it may take later. */
export class IndexBusyError extends Error {
  constructor({ reason }: Extract<ChangeResult, { reason: string }>) {
    super(`Elasticsearch does not take documents now: ${reason}`);
    this.name = "IndexBusyError";
  }
}

/** The same, with the next item asked for while one is in hand. */
async function* readAhead<T>(items: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = items.next();
  for (;;) {
    const item = await next;
    if (item.done) return;
    next = items.next();
    // Whoever stops in the middle does not hear of a failure ahead.
    next.catch(() => undefined);
    yield item.value;
  }
}
