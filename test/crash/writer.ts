import { setTimeout as pause } from "node:timers/promises";

import { type Answer, Client } from "../support/client.ts";
import { absent, type Entry, type Fate, type Kind, type Ledger, textOf } from "./ledger.ts";
import type { Random } from "./random.ts";

/** Longer than any answer takes while a part is paused: a call that lasts longer hangs. */
const patienceMs = 40_000;
/** With an idempotency key a POST is repeated until its outcome is known, or so often. */
const repeats = 6;

/** What the writers share. */
export interface World {
  readonly ledger: Ledger;
  readonly urls: () => readonly string[];
  /** Chats that anyone may post to, and the applications they are made in. */
  readonly chats: Entry[];
  readonly applications: Entry[];
}

interface Call {
  readonly operation: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body?: object;
  readonly key?: string | undefined;
  /** Whether a 404 is in order. */
  readonly mayBeMissing: () => boolean;
}

interface Reply {
  readonly fate: Fate;
  readonly body?: Record<string, unknown>;
}

const names = { application: "name", chat: "title", message: "body" } as const;

/** Creates, changes, deletes and reads, one call after the other, and keeps account of all of it. */
export class Writer {
  readonly #name: string;
  readonly #world: World;
  readonly #random: Random;
  readonly #mine: Entry[] = [];
  readonly #clients = new Map<string, Client>();
  #made = 0;
  #versions = 0;

  constructor(name: string, world: World, random: Random) {
    this.#name = name;
    this.#world = world;
    this.#random = random;
  }

  /** Goes on until the signal aborts and the call in hand has ended. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#act();
      await pause(this.#random.integer(0, 15));
    }
    for (const client of this.#clients.values()) client.close();
  }

  async #act(): Promise<void> {
    const { applications, chats } = this.#world;
    const chance = this.#random.next() * 100;
    const application = this.#random.pick(applications);
    const chat = this.#random.pick(chats);
    if (!application || applications.length < 3 || chance < 0.2)
      return this.#create("application", undefined, applications);
    if (!chat || chats.length < 8 || chance < 4) return this.#create("chat", application, chats);
    if (chance < 50) return this.#create("message", chat);
    const own = this.#random.pick(this.#mine.slice(-this.#random.integer(1, 300)));
    if (!own) return;
    if (chance < 72) return this.#update(own);
    if (chance < 87) return this.#read(own);
    return this.#delete(own);
  }

  async #create(kind: Kind, parent: Entry | undefined, pool: Entry[] = []): Promise<void> {
    const id = `${this.#name}-${(this.#made += 1)}`;
    const text = this.#text(kind, id);
    const entry = this.#world.ledger.add(kind, id, parent);
    const end = entry.begin(text);
    const reply = await this.#callAgain({
      operation: `create ${kind}`,
      method: "POST",
      path: `${parent?.path ?? "/api/v1"}/${kind}s`,
      body: { [names[kind]]: text },
      key: this.#random.next() < 0.5 ? `key of ${id}` : undefined,
      mayBeMissing: () => parent?.mayBeGone ?? false,
    });
    end(reply.fate);
    if (reply.fate !== "acknowledged") return;
    this.#world.ledger.name(entry, String(reply.body?.[kind === "application" ? "token" : "number"]));
    this.#mine.push(entry);
    pool.push(entry);
  }

  async #update(entry: Entry): Promise<void> {
    await this.#change(entry, "update", this.#text(entry.kind, entry.id));
  }

  async #delete(entry: Entry): Promise<void> {
    // What holds much is deleted seldom, or little would ever be held.
    const seldom = { application: 0.02, chat: 0.15, message: 1 }[entry.kind];
    if (this.#random.next() > seldom) return this.#read(entry);
    for (const pool of [this.#world.applications, this.#world.chats]) {
      const at = pool.indexOf(entry);
      if (at >= 0) pool.splice(at, 1);
    }
    await this.#change(entry, "delete", absent);
  }

  async #change(entry: Entry, verb: "update" | "delete", target: string): Promise<void> {
    const before = entry.mayBeGone;
    const wasGone = entry.mustBeGone;
    const end = entry.begin(target);
    const { fate } = await this.#call({
      operation: `${verb} ${entry.kind}`,
      method: verb === "update" ? "PUT" : "DELETE",
      path: entry.path,
      ...(verb === "update" && { body: { [names[entry.kind]]: target } }),
      mayBeMissing: () => before || (entry.parent?.mayBeGone ?? false),
    });
    end(fate);
    if (fate === "acknowledged" && wasGone)
      this.#complain(entry, `${verb} was acknowledged after its deletion`);
  }

  async #read(entry: Entry): Promise<void> {
    const wasGone = entry.mustBeGone;
    const possible = [...entry.possible];
    const { fate, body } = await this.#call({
      operation: `read ${entry.kind}`,
      method: "GET",
      path: entry.path,
      mayBeMissing: () => entry.mayBeGone,
    });
    if (fate !== "acknowledged") return;
    const text = String(body?.[names[entry.kind]]);
    if (wasGone) this.#complain(entry, "was read after its deletion");
    else if (!possible.includes(text))
      this.#complain(entry, `was read as ${text}, not ${possible.join(" or ")}`);
  }

  #text(kind: Kind, id: string): string {
    const length = kind === "message" && this.#random.next() < 0.1 ? 2000 : 20;
    return textOf(id, (this.#versions += 1), this.#random.integer(0, length));
  }

  /** A call, repeated with the same idempotency key while its outcome is unknown. */
  async #callAgain(call: Call): Promise<Reply> {
    let reply = await this.#call(call);
    for (let nth = 0; call.key !== undefined && reply.fate === "unknown" && nth < repeats; nth += 1) {
      reply = await this.#call(call);
      // Refused now; an earlier one may have been taken all the same.
      if (reply.fate === "refused") return { fate: "unknown" };
    }
    return reply;
  }

  async #call(call: Call): Promise<Reply> {
    const reply = await this.#send(call);
    this.#world.ledger.count(call.operation, reply.fate);
    if (reply.fate === "unknown") await pause(this.#random.integer(20, 200));
    return reply;
  }

  async #send({ operation, method, path, body, key, mayBeMissing }: Call): Promise<Reply> {
    let answer: Answer<unknown>;
    try {
      const headers = key === undefined ? {} : { "idempotency-key": key };
      answer = await this.#anyApi((client) =>
        client.send(method, path, body && JSON.stringify(body), headers),
      );
    } catch (error) {
      // A lost connection has a code; a silent one, and an answer that is not as described, have none.
      const { code } = error as { code?: string };
      if (code === undefined) this.#complainOf(operation, path, String(error));
      this.#world.ledger.countCause(code ?? "silence");
      return { fate: "unknown" };
    }
    if (answer.status < 300) return { fate: "acknowledged", body: answer.body as Record<string, unknown> };
    const { code } = answer.body as { code?: string };
    this.#world.ledger.countCause(`${answer.status} ${code ?? ""}`);
    if (answer.status === 404 && mayBeMissing()) return { fate: "refused" };
    if (answer.status !== 503)
      this.#complainOf(operation, path, `${answer.status} ${JSON.stringify(answer.body)}`);
    return { fate: "unknown" };
  }

  /** Calls one of the API processes, and the next where nobody listens: nothing was sent there. */
  async #anyApi<T>(call: (client: Client) => Promise<T>): Promise<T> {
    const [first = "", ...others] = this.#random.shuffled(this.#world.urls());
    let answer = call(this.#client(first));
    for (const url of others) {
      answer = answer.catch((error: unknown) => {
        if ((error as { code?: unknown }).code !== "ECONNREFUSED") throw error;
        return call(this.#client(url));
      });
    }
    return answer;
  }

  #client(url: string): Client {
    const known = this.#clients.get(url);
    if (known) return known;
    const client = new Client(url, patienceMs);
    this.#clients.set(url, client);
    return client;
  }

  #complain(entry: Entry, what: string): void {
    this.#complainOf(entry.kind, `${entry.id} at ${entry.path}`, what);
  }

  #complainOf(...parts: readonly string[]): void {
    this.#world.ledger.problems.push(parts.join(" ").slice(0, 400));
  }
}
