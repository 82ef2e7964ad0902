import { type Answer, Client } from "../support/client.ts";
import {
  type Call,
  isApplication,
  type Item,
  type Listing,
  type Outcome,
  type Path,
  type Post,
  type Read,
  type Removal,
  type Update,
} from "../observed/recorded.ts";
import { increment } from "../support/counts.ts";
import type { Random } from "../support/random.ts";

/** Longer than any answer takes while a part is paused: a call that lasts longer hangs. */
const patienceMs = 40_000;

const collections = ["applications", "chats", "messages"] as const;
const textNames = ["name", "title", "body"] as const;

/** What came of a call: how it ended, and what was in the answer. */
interface Reply {
  readonly outcome: Outcome;
  /** What an answer names as the reason why it was not done; empty where it was. */
  readonly code: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Answer<unknown>["headers"];
}

/** The page of a list: by its number, or by the number it comes after. */
export interface PageAsked {
  readonly order: "asc" | "desc";
  readonly perPage: number;
  readonly page?: number;
  readonly after?: number;
}

/** Asks any of the API's processes, and says of each call what was asked and what was answered. */
export class Caller {
  /** By what a call ended with that was not done. */
  readonly causes: Map<string, number>;
  /** Answers that are wrong in themselves. */
  readonly problems: string[];
  readonly #urls: () => readonly string[];
  readonly #random: Random;
  readonly #clients = new Map<string, Client>();

  constructor(urls: () => readonly string[], random: Random, notes: Pick<Caller, "causes" | "problems">) {
    this.#urls = urls;
    this.#random = random;
    this.causes = notes.causes;
    this.problems = notes.problems;
  }

  async post(parent: Path, text: string, key?: string): Promise<Post> {
    const depth = parent === "" ? 0 : depthOf(parent) + 1;
    const headers = key === undefined ? {} : { "idempotency-key": key };
    const reply = await this.#send("POST", addressIn(parent), bodyOf(depth, text), headers);
    const name = reply.outcome === "done" ? String(reply.body[depth === 0 ? "token" : "number"]) : undefined;
    const isReplayed = reply.headers["idempotency-replayed"] === "true";
    return { do: "post", parent, text, key, ...endOf(reply), name, isReplayed };
  }

  async update(path: Path, text: string): Promise<Update> {
    const method = this.#random.next() < 0.5 ? "PUT" : "PATCH";
    const reply = await this.#send(method, addressOf(path), bodyOf(depthOf(path), text));
    return { do: "update", path, text, ...endOf(reply), seen: textIn(path, reply) };
  }

  async read(path: Path): Promise<Read> {
    const reply = await this.#send("GET", addressOf(path));
    return { do: "read", path, ...endOf(reply), seen: textIn(path, reply) };
  }

  async delete(path: Path): Promise<Removal> {
    return { do: "delete", path, ...endOf(await this.#send("DELETE", addressOf(path))) };
  }

  async list(parent: Path, asked: PageAsked): Promise<Listing> {
    const { order, perPage, page, after } = asked;
    const start = after === undefined ? `page=${page ?? 1}` : `after=${after}`;
    const address = `${addressIn(parent)}?${start}&per_page=${perPage}&order=${order}`;
    const reply = await this.#send("GET", address);
    const { outcome, body } = reply;
    const items = outcome === "done" ? itemsOf(parent, body) : [];
    const { next_after: nextAfter, next_page: nextPage } = (body["meta"] ?? {}) as Record<string, unknown>;
    const isLast = outcome === "done" && (nextAfter ?? nextPage ?? null) === null;
    return { do: "list", parent, order, ...endOf(reply), items, ...reachOf(asked, items, isLast) };
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
  }

  async #send(
    method: string,
    address: string,
    body?: object,
    extra: NodeJS.Dict<string> = {},
  ): Promise<Reply> {
    let answer: Answer<unknown>;
    try {
      answer = await this.#anyApi((client) =>
        client.send(method, address, body && JSON.stringify(body), extra),
      );
    } catch (error) {
      // A lost connection has a code; a silent one, and an answer that is not as described, have none.
      const { code } = error as { code?: string };
      increment(this.causes, code ?? "silence");
      if (code === undefined) this.#complain(method, address, String(error));
      return { outcome: code === "ECONNREFUSED" ? "refused" : "unknown", code: "", body: {}, headers: {} };
    }
    const { status, headers } = answer;
    const answered = (answer.body ?? {}) as Readonly<Record<string, unknown>>;
    const { code = "" } = answered as { code?: string };
    if (status >= 300) increment(this.causes, `${status} ${code}`);
    if (status >= 300 && status !== 404 && status !== 503)
      this.#complain(method, address, `${status} ${code}`);
    return { outcome: outcomeOf(status, code), body: answered, headers, code };
  }

  /** Calls one of the API processes, and the next where nobody listens: nothing was sent there. */
  async #anyApi<T>(call: (client: Client) => Promise<T>): Promise<T> {
    const [first = "", ...others] = this.#random.shuffled(this.#urls());
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

  #complain(...parts: readonly string[]): void {
    this.problems.push(parts.join(" ").slice(0, 400));
  }
}

function outcomeOf(status: number, code: string): Outcome {
  if (status < 300) return "done";
  if (status === 404) return "missing";
  return status === 503 && code !== "buffer_full" ? "unknown" : "refused";
}

function endOf({ outcome, code }: Reply): Call {
  return code === "" ? { outcome } : { outcome, code };
}

/** 0 for an application, 1 for a chat, 2 for a message. */
function depthOf(path: Path): number {
  return path.split("/").length - 1;
}

function addressOf(path: Path): string {
  const parts = path.split("/").map((name, depth) => `${collections[depth] ?? ""}/${name}`);
  return `/api/v1/${parts.join("/")}`;
}

function addressIn(parent: Path): string {
  if (parent === "") return "/api/v1/applications";
  return `${addressOf(parent)}/${collections[depthOf(parent) + 1] ?? ""}`;
}

function bodyOf(depth: number, text: string): object {
  return { [textNames[depth] ?? ""]: text };
}

function textIn(path: Path, { outcome, body }: Reply): string | undefined {
  return outcome === "done" ? String(body[textNames[depthOf(path)] ?? ""]) : undefined;
}

function itemsOf(parent: Path, body: Readonly<Record<string, unknown>>): Item[] {
  const [list, text] = isApplication(parent) ? ["chats", "title"] : ["messages", "body"];
  const items = body[list] as readonly Readonly<Record<string, unknown>>[];
  return items.map((item) => ({ number: Number(item["number"]), text: String(item[text]) }));
}

/** The numbers between which nothing can have been left out. Where a page begins by its rank, its records say it. */
function reachOf(asked: PageAsked, items: readonly Item[], isLast: boolean): Pick<Listing, "from" | "to"> {
  const [start, end] = asked.order === "asc" ? [0, Infinity] : [Infinity, 0];
  const first = startOf(asked, start) ?? items[0]?.number ?? end;
  const last = isLast ? end : (items.at(-1)?.number ?? start);
  return asked.order === "asc" ? { from: first, to: last } : { from: last, to: first };
}

/** Where a page begins; nothing where that is a rank, which is a number only when it is read. */
function startOf({ order, page = 1, after }: PageAsked, start: number): number | undefined {
  if (after !== undefined) return after + (order === "asc" ? 1 : -1);
  return page === 1 ? start : undefined;
}
