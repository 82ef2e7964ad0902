import { expect } from "chai";

import type { Buffer } from "../../src/buffer/buffer.ts";
import type { DeadLetter } from "../../src/buffer/dead-letters.ts";
import { Keys } from "../../src/buffer/keys.ts";
import type { Parent } from "../../src/buffer/references.ts";
import type { FlushLog, Trigger } from "../../src/flusher/ports.ts";
import { createChanger } from "../../src/http/change.ts";
import { createReader } from "../../src/http/read-after-write.ts";
import type { Changer, PageRequest, Reader } from "../../src/http/services.ts";
import type { PendingRecord } from "../../src/records/records.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { openTestBuffer, seed } from "../support/buffers.ts";
import { Flushing } from "../support/flushing.ts";
import { operationIdOf, requestOf } from "../support/requests.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

export const token = "application";
export const chat = { token, chatNumber: 1 };
/** A time that a record can have and a DATETIME cannot. */
export const year20000 = Date.UTC(20_000, 0, 1);
export const tooLongTitle = "t".repeat(256);
export const wholeList: PageRequest = { start: { kind: "page", number: 1 }, perPage: 9, order: "asc" };

export type KindName = "chat" | "message";

export interface Seen {
  readonly number: number;
  readonly text: string | null;
}

/** What differs between chats and messages, for what is true of both. */
export interface Kind {
  readonly parent: Parent;
  readonly table: "chats" | "messages";
  readonly columns: { readonly text: "title" | "body" };
  readonly row: (number: number) => Record<string, string | number>;
  /** Why MySQL refuses what is `refused` or `refusable` here. */
  readonly reason: string;
  readonly refusedText: string;
  readonly refusable: Partial<PendingRecord>;
  readonly mended: Partial<PendingRecord>;
  /** Accepts a record that MySQL will refuse. */
  refused(): Promise<number>;
  read(number: number): Promise<Seen>;
  list(page: PageRequest): Promise<Seen[]>;
  deleteIt(number: number): Promise<void>;
}

/** An application, a flusher and a reader, with no record yet. */
export class DeadLetterStage {
  readonly workspace: Workspace;
  readonly keys: Keys;
  readonly buffer: Buffer;
  readonly store: Store;
  readonly flushing: Flushing;
  readonly read: Reader;
  readonly change: Changer;
  /** What the flusher logged at error level. */
  readonly errors: string[] = [];
  /** Of what it logged at error level, why. */
  readonly reasons: unknown[] = [];
  /** What it logged as a warning. */
  readonly warnings: string[] = [];
  /** Of each warning, what it says beside the message. */
  readonly waits: { readonly failure?: string; readonly err?: unknown }[] = [];
  #serial = 0;

  private constructor(workspace: Workspace, buffer: Buffer, store: Store, flushing: Flushing) {
    this.workspace = workspace;
    this.keys = new Keys(workspace.config.redis.namespace, 1);
    this.buffer = buffer;
    this.store = store;
    this.flushing = flushing;
    this.read = createReader(buffer, store);
    this.change = createChanger(buffer, store, this.read);
  }

  /** In the engines of the run, or in others that the settings name. */
  static async open(settings: NodeJS.ProcessEnv = {}): Promise<DeadLetterStage> {
    const workspace = await openWorkspace(settings);
    const buffer = await openTestBuffer(workspace, "draining");
    const store = openStore(workspace.config.database, "writing");
    const at = new Date();
    await store.applications.create({ token, name: "dead", chatsCount: 0, createdAt: at, updatedAt: at }, 0);
    await seed(buffer, { token }, 0);
    return new DeadLetterStage(workspace, buffer, store, await Flushing.begin(buffer, store));
  }

  async close(): Promise<void> {
    this.buffer.close();
    await this.store.close();
    await this.workspace.close();
  }

  /** Drains everything, into this store or another; on a threshold, what has reached ten. */
  async drain(store: Store = this.store, trigger: Trigger = "minute"): Promise<void> {
    const ignore = () => undefined;
    const error = (fields: object, message: string) => {
      this.errors.push(message);
      this.reasons.push((fields as { readonly reason?: unknown }).reason);
    };
    const warn = (fields: object, message: string) => {
      this.warnings.push(message);
      this.waits.push(fields);
    };
    const log: FlushLog = { debug: ignore, info: ignore, warn, error };
    const settings = { thresholds: { chats: 10, messages: 10 }, maxRows: 1000 };
    await this.flushing.drain(settings, { log, store }).run(trigger);
  }

  async accept(parent: Parent, text: string, createdAtMs?: number): Promise<number> {
    this.#serial += 1;
    const request = requestOf(operationIdOf(this.#serial), text, createdAtMs);
    const reply = await this.buffer.accepting.accept(parent, request);
    if (reply.kind !== "accepted") throw new Error(reply.kind);
    return reply.number;
  }

  letters(): Promise<DeadLetter[]> {
    return this.buffer.deadLetters.list(0, 0, 10);
  }

  /** The one that there is, its reason cut to the code. */
  async onlyLetter(): Promise<DeadLetter> {
    const [letter, ...others] = await this.letters();
    expect(others).to.deep.equal([]);
    if (!letter) throw new Error("there is no dead letter");
    return { ...letter, reason: letter.reason.replace(/ \(\d+\).*$/s, "") };
  }

  async total(field: string): Promise<number> {
    return (await this.buffer.totals.read(0)).flushed.get(field) ?? 0;
  }

  /** That nothing is left of what died, in any key. */
  async expectNothingLeft(): Promise<void> {
    const { pending, pendingBytes, deadLetters } = await this.buffer.totals.read(0);
    const none = { pending: { chats: 0, messages: 0 }, pendingBytes: 0, deadLetters: 0 };
    expect({ pending, pendingBytes, deadLetters }).to.deep.equal(none);
    const left = await this.workspace.redis.keys(`${this.workspace.config.redis.namespace}:*`);
    const kinds = left.map((key) => key.split(":")[2]).filter((kind) => kind !== "counter");
    expect(kinds).to.have.members(["meta", "partitions", "flushed", "flushes", "dirty", "lease", "fence"]);
  }

  /** Puts another record in the place of what the buffer or MySQL has there. */
  async revise(kind: KindName, number: number, edit: Partial<PendingRecord>): Promise<void> {
    const place = { ...this.kind(kind).parent, number };
    const seen = await this.buffer.reads.find(place);
    if (seen.kind === "gone") throw new Error("gone");
    const current = seen.kind === "absent" ? await this.#stored(kind, number) : seen.record;
    if (!current) throw new Error("there is no such record");
    this.#serial += 1;
    const revision = `revision${this.#serial}`;
    const record = { ...current, updatedAtMs: current.updatedAtMs + 1, ...edit, revision };
    expect(await this.buffer.revising.revise(place, seen, record)).to.deep.equal({ kind: "revised" });
  }

  #stored(kind: KindName, number: number): Promise<PendingRecord | undefined> {
    const { chats, messages } = this.store.reads;
    return kind === "chat"
      ? chats.findForChange([token], number)
      : messages.findForChange([token, 1], number);
  }

  /** What MySQL has for a record's title or body. */
  async storedText(kind: KindName, number: number): Promise<unknown> {
    const { table, row, columns } = this.kind(kind);
    const found: { text: unknown } | undefined = await this.workspace
      .sql(table)
      .where(row(number))
      .first({ ...columns });
    return found?.text;
  }

  kind(name: KindName): Kind {
    return name === "chat" ? this.#chats() : this.#messages();
  }

  #chats(): Kind {
    return {
      parent: { token },
      table: "chats",
      columns: { text: "title" },
      row: (number) => ({ application_token: token, number }),
      reason: "ER_DATA_TOO_LONG",
      refusedText: tooLongTitle,
      refusable: { text: tooLongTitle },
      mended: { text: "mended" },
      refused: () => this.accept({ token }, tooLongTitle),
      read: async (number) => ({ number, text: (await this.read.chat(token, number)).title }),
      list: async (page) =>
        (await this.read.chats(token, page)).items.map(({ number, title }) => ({ number, text: title })),
      deleteIt: (number) => this.change.deleteChat(token, number),
    };
  }

  #messages(): Kind {
    return {
      parent: chat,
      table: "messages",
      columns: { text: "body" },
      row: (number) => ({ application_token: token, chat_number: 1, number }),
      reason: "ER_TRUNCATED_WRONG_VALUE",
      refusedText: "refused",
      refusable: { text: "refused change", updatedAtMs: year20000 },
      mended: { text: "mended", createdAtMs: 2000, updatedAtMs: 3000 },
      refused: () => this.accept(chat, "refused", year20000),
      read: async (number) => ({ number, text: (await this.read.message(token, 1, number)).body }),
      list: async (page) =>
        (await this.read.messages(token, 1, page)).items.map(({ number, body }) => ({ number, text: body })),
      deleteIt: (number) => this.change.deleteMessage(token, 1, number),
    };
  }
}

/** The status a call is refused with, or 200. */
export async function statusOf(call: Promise<unknown>): Promise<number> {
  return call.then(
    () => 200,
    (error: unknown) => (error as { status: number }).status,
  );
}
