import type { Buffer } from "../buffer/buffer.ts";
import type { OwedMessage } from "../buffer/owed-documents.ts";
import { documentId, type MessageKey } from "../search/documents.ts";
import type { DocumentScope } from "../search/index-writer.ts";
import type { Owed, OwedDocument, Refusal } from "../search/ports.ts";

/** Chats looked at in one round: with a document each they make a round that is worth its refresh. */
const chatsAtOnce = 500;

/** What the buffer says is owed to the index in one partition, as the indexer asks for it. */
export class OwedOfPartition implements Owed {
  readonly #buffer: Buffer;
  readonly #partition: number;

  constructor(buffer: Buffer, partition: number) {
    this.#buffer = buffer;
    this.#partition = partition;
  }

  async documents(limit: number): Promise<OwedMessage[]> {
    const { owed } = this.#buffer;
    const chats = await owed.chats(this.#partition, chatsAtOnce);
    const share = Math.ceil(limit / Math.max(1, chats.length));
    const lists = await Promise.all(
      chats.map(async (chat) => (await owed.list(chat, share)).map((one) => ({ ...chat, ...one }))),
    );
    return lists.flat().slice(0, limit);
  }

  async settle(documents: readonly OwedDocument[]): Promise<void> {
    const { owed, indexTotals } = this.#buffer;
    await owed.settle(this.#partition, documents);
    await indexTotals.addIndexed(this.#partition, documents.map(documentId));
  }

  async refuse(refusals: readonly Refusal[]): Promise<void> {
    const { owed, indexTotals } = this.#buffer;
    const named = refusals.map(({ document, reason }) => ({ path: documentId(document), reason }));
    await indexTotals.addRefused(this.#partition, named);
    await owed.settle(
      this.#partition,
      refusals.map(({ document }) => document),
    );
  }

  async removals(limit: number): Promise<DocumentScope[]> {
    return this.#buffer.owed.removals(this.#partition, limit);
  }

  async settleRemoval(scope: DocumentScope): Promise<void> {
    await this.#buffer.owed.settleRemoval(scope);
  }
}

/** The ids of those messages whose documents are owed, in whichever partition. */
export async function owedAmong(buffer: Buffer, keys: readonly MessageKey[]): Promise<Set<string>> {
  const chats = new Map<string, MessageKey[]>();
  for (const key of keys) {
    const path = `${key.token}:${key.chatNumber}`;
    chats.set(path, [...(chats.get(path) ?? []), key]);
  }
  const found = await Promise.all(
    [...chats.values()].map(async (siblings) => {
      const [chat] = siblings;
      if (!chat) return [];
      const numbers = siblings.map(({ number }) => number);
      const owed = await buffer.owed.among(chat, numbers);
      return siblings.filter(({ number }) => owed.has(number)).map(documentId);
    }),
  );
  return new Set(found.flat());
}
