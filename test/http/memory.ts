import { randomBytes } from "node:crypto";
import {
  applicationNotFound,
  applicationUnknown,
  chatNotFound,
  chatUnknown,
  idempotencyKeyReused,
  messageNotFound,
} from "../../src/errors.ts";
import type { Acceptor, Changer, Idempotency, Page, PageRequest, Reader } from "../../src/http/services.ts";
import type { Application, Chat, Message } from "../../src/records/records.ts";

interface StoredChat {
  record: Chat;
  readonly messages: Map<number, Message>;
  lastNumber: number;
}

interface StoredApplication {
  record: Application;
  readonly chats: Map<number, StoredChat>;
  lastNumber: number;
}

/** Services that keep their records in maps: what the contract says of them, and nothing else. */
export class MemoryServices {
  readonly #applications = new Map<string, StoredApplication>();
  readonly #replies = new Map<string, { fingerprint: string; reply: object }>();

  readonly accept: Acceptor = {
    chat: (token, { text, fields }, idempotency) =>
      soon(() => {
        const application = this.#applications.get(token);
        if (!application) throw applicationUnknown(token);
        return this.#once(`chats ${token}`, idempotency, () => {
          const number = (application.lastNumber += 1);
          const times = now();
          const record = { number, title: text, fields, messagesCount: 0, ...times };
          application.chats.set(number, { record, messages: new Map(), lastNumber: 0 });
          return { number, createdAt: times.createdAt };
        });
      }),
    message: (token, chatNumber, { text, fields }, idempotency) =>
      soon(() => {
        const application = this.#applications.get(token);
        if (!application) throw applicationUnknown(token);
        const chat = application.chats.get(chatNumber);
        if (!chat) throw chatUnknown(token, chatNumber);
        return this.#once(`messages ${token} ${chatNumber}`, idempotency, () => {
          const number = (chat.lastNumber += 1);
          const times = now();
          chat.messages.set(number, { number, body: text ?? "", fields, ...times });
          return { number, createdAt: times.createdAt };
        });
      }),
  };

  readonly read: Reader = {
    applications: (page) => soon(() => pageOf([...this.#applications.values()].map(recordOf), page)),
    application: (token) => soon(() => this.#application(token).record),
    chats: (token, page) =>
      soon(() => pageOf([...this.#application(token).chats.values()].map(recordOf), page)),
    chat: (token, number) => soon(() => this.#chat(token, number).record),
    messages: (token, chat, page) => soon(() => pageOf([...this.#chat(token, chat).messages.values()], page)),
    message: (token, chat, number) => soon(() => this.#message(token, chat, number)),
  };

  readonly change: Changer = {
    createApplication: (name, idempotency) =>
      soon(() =>
        this.#once("applications", idempotency, () => {
          const token = randomBytes(16).toString("base64url");
          const record = { token, name, chatsCount: 0, ...now() };
          this.#applications.set(token, { record, chats: new Map(), lastNumber: 0 });
          return { application: record };
        }),
      ),
    updateApplication: (token, name) =>
      soon(() => {
        const application = this.#application(token);
        return (application.record = { ...application.record, name, updatedAt: new Date() });
      }),
    deleteApplication: (token) =>
      soon(() => {
        this.#application(token);
        this.#applications.delete(token);
      }),
    updateChat: (token, number, { text, fields }) =>
      soon(() => {
        const chat = this.#chat(token, number);
        if (text === undefined) return chat.record;
        const changed = { title: text, fields: { ...chat.record.fields, ...fields } };
        return (chat.record = { ...chat.record, ...changed, updatedAt: new Date() });
      }),
    deleteChat: (token, number) =>
      soon(() => {
        this.#chat(token, number);
        this.#application(token).chats.delete(number);
      }),
    updateMessage: (token, chatNumber, number, { text, fields }) =>
      soon(() => {
        const known = this.#message(token, chatNumber, number);
        const message = {
          ...known,
          body: text ?? known.body,
          fields: { ...known.fields, ...fields },
          updatedAt: new Date(),
        };
        this.#chat(token, chatNumber).messages.set(number, message);
        return message;
      }),
    deleteMessage: (token, chatNumber, number) =>
      soon(() => {
        this.#message(token, chatNumber, number);
        this.#chat(token, chatNumber).messages.delete(number);
      }),
  };

  #application(token: string): StoredApplication {
    const found = this.#applications.get(token);
    if (!found) throw applicationNotFound(token);
    return found;
  }

  #chat(token: string, number: number): StoredChat {
    const found = this.#application(token).chats.get(number);
    if (!found) throw chatNotFound(number);
    return found;
  }

  #message(token: string, chatNumber: number, number: number): Message {
    const found = this.#chat(token, chatNumber).messages.get(number);
    if (!found) throw messageNotFound(number);
    return found;
  }

  #once<T extends object>(
    place: string,
    idempotency: Idempotency | undefined,
    make: () => T,
  ): T & { isReplayed: boolean } {
    const key = `${place} ${idempotency?.key ?? ""}`;
    const earlier = idempotency && this.#replies.get(key);
    if (earlier && earlier.fingerprint !== idempotency.fingerprint) throw idempotencyKeyReused();
    const reply = (earlier?.reply as T | undefined) ?? make();
    if (idempotency) this.#replies.set(key, { fingerprint: idempotency.fingerprint, reply });
    return { ...reply, isReplayed: earlier !== undefined };
  }
}

/** A call's result as the services give it: a promise, also of what it throws. */
const soon = <T>(call: () => T): Promise<T> => Promise.resolve().then(call);

const now = () => {
  const createdAt = new Date();
  return { createdAt, updatedAt: createdAt };
};

const recordOf = <T>({ record }: { readonly record: T }) => record;

/** Records come in the order of their numbers or, without any, of their creation. */
function pageOf<T extends object>(records: readonly T[], { start, perPage, order }: PageRequest): Page<T> {
  const ordered = order === "asc" ? records : records.toReversed();
  const rest =
    start.kind === "page"
      ? ordered.slice((start.number - 1) * perPage)
      : ordered.filter((record) => isBehind(record, start.after, order));
  return { items: rest.slice(0, perPage), hasNext: rest.length > perPage };
}

function isBehind(record: object, after: number, order: "asc" | "desc"): boolean {
  if (!("number" in record) || typeof record.number !== "number") return false;
  return order === "asc" ? record.number > after : record.number < after;
}
