import { expect } from "chai";

import type { Buffer } from "../../src/buffer/buffer.ts";
import { Keys } from "../../src/buffer/keys.ts";
import type { EpochGuard } from "../../src/epoch-guard.ts";
import { createAcceptor } from "../../src/http/accept.ts";
import { createChanger } from "../../src/http/change.ts";
import { createReader } from "../../src/http/read-after-write.ts";
import type { Acceptor, Changer, Page, PageRequest, Reader } from "../../src/http/services.ts";
import type { Store } from "../../src/store/store.ts";
import type { Workspace } from "../support/workspace.ts";
import { flushSteps } from "./flush-steps.ts";
import type { Flushing } from "../support/flushing.ts";
import { Model } from "./model.ts";
import type { Step } from "./steps.ts";
import { said } from "../support/said.ts";

/** What all histories share; each has an application of its own. */
export interface Stage {
  readonly workspace: Workspace;
  readonly buffer: Buffer;
  /** The same, for changes: a history interrupts those. */
  readonly changing: Buffer;
  readonly store: Store;
  readonly flushing: Flushing;
  readonly epochs: EpochGuard;
}

/** Takes steps, and compares each answer with that of the model. */
export class History {
  readonly #stage: Stage;
  readonly #keys: Keys;
  readonly #token: string;
  readonly #model = new Model();
  readonly #accept: Acceptor;
  readonly #read: Reader;
  readonly #change: Changer;
  #flush: AsyncGenerator<string, void> | undefined;
  /** Steps of a flush to be made before the next change reaches the buffer. */
  #interruptions = 0;
  /** Whether MySQL refuses the first message of the next batch that is written. */
  #refuses = false;

  private constructor(stage: Stage, token: string) {
    const { workspace, buffer, changing, store, epochs } = stage;
    this.#stage = stage;
    this.#keys = new Keys(workspace.config.redis.namespace, 1);
    this.#token = token;
    this.#accept = createAcceptor(buffer, store, epochs);
    this.#read = createReader(buffer, store);
    this.#change = createChanger(changing, store, this.#read);
    this.#interruptChanges();
  }

  static async begin(stage: Stage): Promise<History> {
    const { buffer, store } = stage;
    const change = createChanger(buffer, store, createReader(buffer, store));
    const { application } = await change.createApplication("history");
    const history = new History(stage, application.token);
    // Most steps need a chat; a history without any is over soon.
    await history.take({ do: "post chat", title: null });
    return history;
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case "post chat": {
        const { number } = await this.#accept.chat(this.#token, said(step.title));
        expect(number).to.equal(this.#model.postChat(step.title));
        return;
      }
      case "list chats": {
        const listed = await this.#read.chats(this.#token, step.page);
        const seen = { ...listed, items: listed.items.map(({ number, title: text }) => ({ number, text })) };
        expect(seen).to.deep.equal(pageOf(this.#model.listChats(), step.page));
        return;
      }
      case "flush on":
        await this.#flushOn(step.maxRows);
        return;
      case "remove some":
        if (!this.#flush) await this.#stage.flushing.removeSome();
        return;
      case "refuse next":
        this.#refuses = true;
        return;
      case "requeue all":
        await this.#requeueAll();
        return;
      case "let an hour pass":
        await this.#letAnHourPass();
        return;
      case "update chat":
      case "delete chat":
      case "read chat":
        await this.#chatStep(step);
        return;
      default:
        await this.#messageStep(step);
    }
  }

  async #chatStep(step: Step & { do: "update chat" | "delete chat" | "read chat" }): Promise<void> {
    const chat = this.#model.chats.get(step.chat);
    this.#interruptions = step.flushes;
    const calls = {
      "update chat": () => this.#change.updateChat(this.#token, step.chat, said(step.title)),
      "delete chat": () => this.#change.deleteChat(this.#token, step.chat),
      "read chat": () => this.#read.chat(this.#token, step.chat),
    };
    const answer = await outcomeOf(calls[step.do]());
    if (!chat) {
      expect(answer).to.equal(404);
      return;
    }
    if (step.do === "delete chat") this.#model.chats.delete(step.chat);
    else {
      if (step.do === "update chat") chat.title = step.title;
      expect(answer).to.include({ number: step.chat, title: chat.title });
    }
  }

  async #messageStep(
    step: Step & {
      do: "post message" | "list messages" | "update message" | "delete message" | "read message";
    },
  ): Promise<void> {
    const chat = this.#model.chats.get(step.chat);
    this.#interruptions = "flushes" in step ? step.flushes : 0;
    const answer = await outcomeOf(this.#messageCall(step));
    if (!chat) {
      expect(answer).to.equal(404);
      return;
    }
    if (step.do === "post message") {
      expect(answer).to.include({ number: chat.postMessage(step.body) });
    } else if (step.do === "list messages") {
      const listed = answer as unknown as Page<{ number: number; body: string }>;
      const seen = { ...listed, items: listed.items.map(({ number, body: text }) => ({ number, text })) };
      expect(seen).to.deep.equal(pageOf(chat.listMessages(), step.page));
    } else if (!chat.messages.has(step.message)) {
      expect(answer).to.equal(404);
    } else if (step.do === "delete message") {
      chat.messages.delete(step.message);
    } else {
      if (step.do === "update message") chat.messages.set(step.message, step.body);
      expect(answer).to.include({ number: step.message, body: chat.messages.get(step.message) });
    }
  }

  #messageCall(
    step: Step & {
      do: "post message" | "list messages" | "update message" | "delete message" | "read message";
    },
  ): Promise<unknown> {
    switch (step.do) {
      case "post message":
        return this.#accept.message(this.#token, step.chat, said(step.body));
      case "list messages":
        return this.#read.messages(this.#token, step.chat, step.page);
      case "update message":
        return this.#change.updateMessage(this.#token, step.chat, step.message, said(step.body));
      case "delete message":
        return this.#change.deleteMessage(this.#token, step.chat, step.message);
      case "read message":
        return this.#read.message(this.#token, step.chat, step.message);
    }
  }

  async #flushOn(maxRows: number): Promise<void> {
    const { buffer, flushing } = this.#stage;
    const refuses = () => {
      const isRefused = this.#refuses;
      this.#refuses = false;
      return isRefused;
    };
    this.#flush ??= flushSteps(buffer, flushing, maxRows, refuses);
    const { done } = await this.#flush.next();
    if (done) this.#flush = undefined;
  }

  /** Lets flushes go on between a look at a record and its change. */
  #interruptChanges(): void {
    const { buffer, changing } = this.#stage;
    const revise: Buffer["revising"]["revise"] = async (...change) => {
      for (; this.#interruptions > 0; this.#interruptions -= 1) await this.#flushOn(2);
      return buffer.revising.revise(...change);
    };
    Object.assign(changing.revising, { revise });
  }

  #isFlushing(): boolean {
    return this.#flush !== undefined;
  }

  /** As a person does with every dead letter once MySQL takes it. */
  async #requeueAll(): Promise<void> {
    for (const { id, reason } of await this.#stage.buffer.deadLetters.list(0, 0, 100)) {
      expect(reason).to.match(/^ER_DATA_TOO_LONG \(1406\)/);
      await this.#stage.buffer.deadLetters.requeue(id);
    }
  }

  /** Counters leave Redis after an hour, those that may. */
  async #letAnHourPass(): Promise<void> {
    const chats = Array.from({ length: this.#model.lastChat }, (_, at) => at + 1);
    const parents = [
      { token: this.#token },
      ...chats.map((chatNumber) => ({ token: this.#token, chatNumber })),
    ];
    for (const parent of parents) {
      const counter = this.#keys.counter(parent);
      if ((await this.#stage.workspace.redis.ttl(counter)) > 0)
        await this.#stage.workspace.redis.del(counter);
    }
  }

  /** Drains and removes everything, then compares MySQL with the model, row by row. */
  async finish(): Promise<void> {
    const { workspace, buffer, flushing } = this.#stage;
    const { sql, redis, config } = workspace;
    this.#refuses = false;
    while (this.#flush) await this.#flushOn(1);
    await this.#requeueAll();
    const waiting = async () =>
      (await buffer.batches.length(0, "chats")) + (await buffer.batches.length(0, "messages"));
    while ((await waiting()) > 0) {
      do await this.#flushOn(1000);
      while (this.#isFlushing());
    }
    while (await flushing.removeSome());
    const mine = { application_token: this.#token };
    const chats: unknown = await sql("chats")
      .where(mine)
      .select("number", { text: "title" })
      .orderBy("number");
    expect(chats).to.deep.equal(this.#model.listChats());
    for (const [number, chat] of this.#model.chats) {
      const stored: unknown = await sql("messages")
        .where({ ...mine, chat_number: number })
        .select("number", { text: "body" })
        .orderBy("number");
      expect(stored).to.deep.equal(chat.listMessages());
    }
    const numbers = [...this.#model.chats.keys()];
    const orphans: unknown[] = await sql("messages").where(mine).whereNotIn("chat_number", numbers);
    expect(orphans).to.deep.equal([]);
    expect(await redis.hget(`${config.redis.namespace}:{0}:meta`, "bytes")).to.be.oneOf([null, "0"]);
    expect(await buffer.deadLetters.list(0, 0, 1)).to.deep.equal([]);
  }
}

/** The page of a plain list that a request asks for. */
function pageOf<T extends { number: number }>(
  all: readonly T[],
  { start, perPage, order }: PageRequest,
): Page<T> {
  const ordered = order === "asc" ? all : [...all].reverse();
  const rest =
    start.kind === "page"
      ? ordered.slice((start.number - 1) * perPage)
      : ordered.filter(({ number }) => (order === "asc" ? number > start.after : number < start.after));
  return { items: rest.slice(0, perPage), hasNext: rest.length > perPage };
}

/** What a call answered, or the status of the error it was refused with. */
async function outcomeOf(call: Promise<unknown>): Promise<object | number> {
  try {
    return (await call) ?? {};
  } catch (error) {
    const { status } = error as { status?: number };
    if (status === undefined) throw error;
    return status;
  }
}
