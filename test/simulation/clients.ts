/** Lets clients ask, and tells the model what they were answered. */
import { beginDiscard, type Letter, letterOf } from "./operator.ts";
import type { Api, Refusal } from "./product.ts";
import { packetBytes, refusalOf } from "./product.ts";
import type { Begun, Model } from "./model.ts";
import type { Ask, ListPage } from "./plan.ts";
import type { RecordModel } from "./record.ts";
import { said } from "../support/said.ts";

/** What became of an operation, for the trace. */
export type Told = string;

type AskOfRecords = Exclude<
  Ask,
  { do: "create application" | "delete application" | "get application" | "requeue" | "discard" }
>;

type Answered<T> = { readonly value: T } | { readonly refusal: Refusal };

/** Asks on behalf of clients; `token` is the application that they all use. */
export class Clients {
  readonly #model: Model;
  token = "";

  constructor(model: Model) {
    this.#model = model;
  }

  get #application(): RecordModel | undefined {
    return this.#model.applications.get(this.token);
  }

  /** Resolves when the client was answered; one that never is leaves its outcome open. */
  async ask(api: Api, id: string, planned: Ask): Promise<Told> {
    const ask = "text" in planned ? { ...planned, text: inFull(planned.text) } : planned;
    const begun = this.#model.begin(id);
    switch (ask.do) {
      case "create application":
        return this.#createApplication(api, begun, ask.key);
      case "delete application":
      case "get application":
        return this.#onApplication(api, begun, ask.do);
      case "requeue":
        return this.#requeue(api, ask.nth);
      case "discard":
        return this.#discard(api, begun, ask.nth);
      default:
        return this.#askOfRecords(api, begun, ask);
    }
  }

  async #askOfRecords(api: Api, begun: Begun, ask: AskOfRecords): Promise<Told> {
    switch (ask.do) {
      case "post chat":
      case "list chats":
        return this.#onChats(api, begun, ask);
      case "post message":
      case "post to guessed":
      case "list messages":
        return this.#onMessages(api, begun, ask);
      case "update chat":
      case "delete chat":
      case "get chat":
        return this.#onChat(api, begun, ask);
      case "update message":
      case "delete message":
      case "get message":
        return this.#onMessage(api, begun, ask);
    }
  }

  async #createApplication(api: Api, begun: Begun, key: string): Promise<Told> {
    const answer = await outcome(api.change.createApplication("application", { key, fingerprint: "same" }));
    if ("refusal" in answer) return this.#refused(answer.refusal);
    const { application, isReplayed } = answer.value;
    this.#model.tick();
    this.#model.application(application.token, "application", begun);
    this.token = application.token;
    return isReplayed ? "201, replayed" : "201";
  }

  async #onApplication(
    api: Api,
    begun: Begun,
    what: "delete application" | "get application",
  ): Promise<Told> {
    const { token } = this;
    const application = this.#application;
    if (!application) return "nothing to ask for";
    if (what === "delete application")
      return this.#write(application, "delete", null, begun, () => api.change.deleteApplication(token));
    return this.#read(application, begun, async () => (await api.read.application(token)).name);
  }

  async #onChats(api: Api, begun: Begun, ask: Ask & { do: "post chat" | "list chats" }): Promise<Told> {
    const { token } = this;
    const parent = this.#application;
    if (!parent) return "nothing to ask for";
    if (ask.do === "post chat")
      return this.#post(parent, ask, begun, (key) => api.accept.chat(token, said(ask.text), key));
    return this.#list(parent, ask.page, begun, async (request) => {
      const { items, hasNext } = await api.read.chats(token, request);
      return { items: items.map(({ number, title: text }) => ({ number, text })), hasNext };
    });
  }

  async #onMessages(
    api: Api,
    begun: Begun,
    ask: Ask & { do: "post message" | "post to guessed" | "list messages" },
  ): Promise<Told> {
    const { token } = this;
    const application = this.#application;
    const chat =
      ask.do === "post to guessed"
        ? application && this.#model.guess(application)
        : newest(application, ask.chat);
    if (!chat) return "nothing to ask for";
    if (ask.do !== "list messages")
      return this.#post(chat, ask, begun, (key) =>
        api.accept.message(token, chat.number, said(ask.text), key),
      );
    return this.#list(chat, ask.page, begun, async (request) => {
      const { items, hasNext } = await api.read.messages(token, chat.number, request);
      return { items: items.map(({ number, body: text }) => ({ number, text })), hasNext };
    });
  }

  async #onChat(
    api: Api,
    begun: Begun,
    ask: Ask & { do: "update chat" | "delete chat" | "get chat" },
  ): Promise<Told> {
    const { token } = this;
    const chat = newest(this.#application, ask.chat);
    if (!chat) return "nothing to ask for";
    const { number } = chat;
    if (ask.do === "get chat")
      return this.#read(chat, begun, async () => (await api.read.chat(token, number)).title);
    if (ask.do === "delete chat")
      return this.#write(chat, "delete", null, begun, () => api.change.deleteChat(token, number));
    return this.#write(chat, "update", ask.text, begun, () =>
      api.change.updateChat(token, number, said(ask.text)),
    );
  }

  async #onMessage(
    api: Api,
    begun: Begun,
    ask: Ask & { do: "update message" | "delete message" | "get message" },
  ): Promise<Told> {
    const { token } = this;
    const chat = newest(this.#application, ask.chat);
    const message = newest(chat, ask.message);
    if (!chat || !message) return "nothing to ask for";
    const place = [token, chat.number, message.number] as const;
    if (ask.do === "get message")
      return this.#read(message, begun, async () => (await api.read.message(...place)).body);
    if (ask.do === "delete message")
      return this.#write(message, "delete", null, begun, () => api.change.deleteMessage(...place));
    return this.#write(message, "update", ask.text, begun, () =>
      api.change.updateMessage(...place, said(ask.text)),
    );
  }

  /** As an operator does: looks at the dead letters and decides about one. */
  async #requeue(api: Api, nth: number): Promise<Told> {
    const id = (await this.#deadLetter(api, nth))?.id;
    if (id === undefined) return "no dead letter";
    const requeued = await outcome(api.deadLetters.requeue(id));
    return "refusal" in requeued ? this.#refused(requeued.refusal) : `requeued ${requeued.value}`;
  }

  async #discard(api: Api, begun: Begun, nth: number): Promise<Told> {
    const letter = await this.#deadLetter(api, nth);
    if (!letter) return "no dead letter";
    const { id, record } = letter;
    const write = beginDiscard(this.#model, letter, begun);
    const discarded = await outcome(api.deadLetters.discard(id));
    if ("refusal" in discarded) return this.#refused(discarded.refusal);
    if (record && write) {
      if (discarded.value) this.#model.acknowledge(record, write, begun);
      else this.#model.refuseWrite(record, write);
    }
    return `discarded ${id.replace(/^[^:]*/, "app")}: ${discarded.value}`;
  }

  async #deadLetter(api: Api, nth: number): Promise<Letter | undefined> {
    const found = await outcome(api.deadLetters.list(0, nth, 1));
    const [letter] = "value" in found ? found.value : [];
    return letter && letterOf(this.#model, letter);
  }

  async #post(
    parent: RecordModel,
    { text, key }: { text: string; key?: string },
    begun: Begun,
    accept: (key?: {
      key: string;
      fingerprint: string;
    }) => Promise<{ readonly number: number; readonly isReplayed: boolean }>,
  ): Promise<Told> {
    const identity = key ?? begun.id;
    const post = this.#model.beginPost(parent, text, identity, begun);
    const answer = await outcome(accept(key === undefined ? undefined : { key, fingerprint: key }));
    if ("value" in answer) {
      const { number, isReplayed } = answer.value;
      this.#model.given(parent, post, begun, number, isReplayed);
      return `201 ${parent.shownPath}:${number}${isReplayed ? ", replayed" : ""}`;
    }
    if (answer.refusal.status < 500) this.#model.refusePost(parent, post);
    if (answer.refusal.status === 404) this.#model.absent(parent, begun, "post");
    return this.#refused(answer.refusal, parent);
  }

  async #write(
    record: RecordModel,
    kind: "update" | "delete",
    text: string | null,
    begun: Begun,
    make: () => Promise<unknown>,
  ): Promise<Told> {
    const write = this.#model.beginWrite(record, kind, text, begun);
    const answer = await outcome(make());
    if ("value" in answer) {
      this.#model.acknowledge(record, write, begun);
      return `200 ${record.shownPath}`;
    }
    // A change that is answered 404 may have been made, and gone with what was deleted since.
    const isOpen = answer.refusal.status === 404 && kind === "update";
    if (answer.refusal.status < 500 && !isOpen) this.#model.refuseWrite(record, write);
    if (answer.refusal.status === 404) this.#model.absent(record, begun, kind);
    return this.#refused(answer.refusal, record);
  }

  async #read(record: RecordModel, begun: Begun, read: () => Promise<string | null>): Promise<Told> {
    const answer = await outcome(read());
    if ("value" in answer) {
      this.#model.shown(record, answer.value, begun);
      return `200 ${record.shownPath}`;
    }
    if (answer.refusal.status === 404) this.#model.absent(record, begun);
    return this.#refused(answer.refusal, record);
  }

  async #list(
    parent: RecordModel,
    { order, perPage }: ListPage,
    begun: Begun,
    read: (request: {
      start: { kind: "page"; number: number };
      perPage: number;
      order: "asc" | "desc";
    }) => Promise<{ items: { number: number; text: string | null }[]; hasNext: boolean }>,
  ): Promise<Told> {
    const answer = await outcome(read({ start: { kind: "page", number: 1 }, perPage, order }));
    if ("refusal" in answer) {
      if (answer.refusal.status === 404) this.#model.absent(parent, begun, "list");
      return this.#refused(answer.refusal, parent);
    }
    const { items, hasNext } = answer.value;
    const last = items.at(-1)?.number ?? 0;
    const isCovered = (number: number) => !hasNext || (order === "asc" ? number <= last : number >= last);
    this.#model.listed(parent, items, begun, isCovered);
    return `200 ${parent.shownPath}: ${items.map(({ number }) => number).join(" ")}${hasNext ? " …" : ""}`;
  }

  #refused({ status, code, isContention }: Refusal, record?: RecordModel): Told {
    if (status === 500 && !isContention) this.#model.report("a raw failure", code);
    return `${status} ${code}${record ? ` ${record.shownPath}` : ""}`;
  }
}

async function outcome<T>(call: Promise<T>): Promise<Answered<T>> {
  try {
    return { value: await call };
  } catch (error) {
    return { refusal: refusalOf(error) };
  }
}

/** What lies beneath a record at a place from the newest that anybody knows of, deleted or not. */
function newest(parent: RecordModel | undefined, place: number): RecordModel | undefined {
  const records = [...(parent?.children.values() ?? [])]
    .filter(({ isKnown }) => isKnown)
    .sort((a, b) => b.number - a.number);
  return records[Math.min(place, records.length - 1)];
}

/** A plan says of a large text only that it is one. */
function inFull(text: string): string {
  return text.startsWith("refused large") ? text.padEnd(packetBytes, ".") : text;
}
