import type { Buffer } from "../buffer/buffer.ts";
import { applicationNotFound, chatNotFound, invalidParameter, messageNotFound } from "../errors.ts";
import type { Application, Chat } from "../records/records.ts";
import type { Store } from "../store/store.ts";
import { finishDeletion } from "./half-deleted.ts";
import { mergedPage } from "./merged-list.ts";
import { chatsOf, messagesOf, type Numbered } from "./numbered.ts";
import type { Page, PageRequest, Reader } from "./services.ts";
import { answerable } from "./unavailable.ts";

/** Reads buffer first, then MySQL: a record that a flush moves in between is seen in one of them. */
export function createReader(buffer: Buffer, store: Store): Reader {
  async function application(token: string): Promise<Application> {
    const found = await answerable(store.reads.application(token));
    if (found) return found;
    await answerable(finishDeletion(buffer, store, token));
    throw applicationNotFound(token);
  }

  async function chat(token: string, number: number): Promise<Chat> {
    const found = await find(buffer, chatsOf(store, token), number);
    if (found) return found;
    await application(token);
    throw chatNotFound(number);
  }

  return {
    application,
    chat,

    async message(token, chatNumber, number) {
      const found = await find(buffer, messagesOf(store, token, chatNumber), number);
      if (found) return found;
      await chat(token, chatNumber);
      throw messageNotFound(number);
    },

    async applications({ start, perPage, order }) {
      if (start.kind === "after") throw invalidParameter("after", "is for chats and messages; use page");
      const skip = (start.number - 1) * perPage;
      const found = await answerable(store.reads.applications(order, skip, perPage + 1));
      return { items: found.slice(0, perPage), hasNext: found.length > perPage };
    },

    async chats(token, request) {
      const page = await list(buffer, chatsOf(store, token), request);
      if (page.items.length === 0) await application(token);
      return page;
    },

    async messages(token, chatNumber, request) {
      const page = await list(buffer, messagesOf(store, token, chatNumber), request);
      if (page.items.length === 0) await chat(token, chatNumber);
      return page;
    },
  };
}

/** A record, wherever it is; nothing where it, or what it belongs to, is not there or was deleted. */
async function find<T>(buffer: Buffer, numbered: Numbered<T>, number: number): Promise<T | undefined> {
  const found = await answerable(buffer.reads.find({ ...numbered.parent, number }));
  if (found.kind === "gone") return undefined;
  if (found.kind === "absent") return answerable(numbered.stored.find(number));
  const { record } = found;
  if (record.isDeleted) return undefined;
  if (found.kind === "pending") return numbered.toRecord({ number, record });
  const stored = await answerable(numbered.stored.find(number));
  if (stored) return numbered.revise(stored, { number, record });
  return found.kind === "dead" ? numbered.toRecord({ number, record }) : undefined;
}

/** A page of one parent's records; empty where the parent was deleted. */
async function list<T extends { readonly number: number }>(
  buffer: Buffer,
  { parent, stored, toRecord, revise }: Numbered<T>,
  request: PageRequest,
): Promise<Page<T>> {
  const pending = { page: buffer.reads.page.bind(buffer.reads, parent), toRecord, revise };
  const page = await answerable(mergedPage<T>(pending, stored, request));
  return page === "gone" ? { items: [], hasNext: false } : page;
}
