import { setTimeout as pause } from "node:timers/promises";

import { type Answer, Client } from "../support/client.ts";
import { Answers } from "./answers.ts";
import type { Ledger } from "./ledger.ts";
import type { OddTexts } from "./refusal.ts";

/** How many POSTs begin in a second, whatever the answers. */
const perSecond = 200;
const tickMs = 20;
const mostAtOnce = 40;
/** Longer than any answer takes: who waits for longer hangs. */
const patienceMs = 20_000;

/** Of so many POSTs one is that of an application, one that of a chat, and one of those that can be is odd. */
const shares = { application: 100, chat: 25, odd: 40 } as const;
/** Chats that are written to: the latest ones. */
const chatsKept = 12;
/** No text begins so. */
const none = "none ";

interface Created {
  readonly token: string;
  readonly number: number;
}

/** A steady load of POSTs that does not wait for answers, and what becomes of each. */
export class Load {
  readonly #clients: readonly Client[];
  readonly #ledger: Ledger;
  readonly #applications: string[] = [];
  readonly #chats: string[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #sent = 0;
  #odd: OddTexts | undefined;
  #answers = new Answers();

  constructor(urls: readonly string[], ledger: Ledger) {
    this.#clients = urls.map((url) => new Client(url, patienceMs));
    this.#ledger = ledger;
  }

  /** Makes the applications and a chat of each, to which everything is posted. */
  async prepare(): Promise<void> {
    for (let nth = 0; nth < 3; nth += 1) {
      const application = await this.#post("application", "/applications", "name");
      if (!application) throw new Error("no application was created");
      this.#applications.push(application.token);
      await this.#post("chat", `/applications/${application.token}/chats`, "title");
    }
    if (this.#chats.length === 0) throw new Error("no chat was accepted");
  }

  /** Counts from now on anew, and posts odd texts among the others where there are any. */
  begin(odd?: OddTexts): Answers {
    this.#odd = odd;
    this.#answers = new Answers();
    return this.#answers;
  }

  /** Goes on until the signal aborts and all is answered. */
  async run(signal: AbortSignal): Promise<void> {
    const beganMs = performance.now();
    for (let begun = 0; !signal.aborted;) {
      const due = Math.floor(((performance.now() - beganMs) / 1000) * perSecond);
      // A machine that was busy elsewhere is not made up for: what then came at once would be another load.
      begun = Math.max(begun, due - mostAtOnce);
      for (; begun < due; begun += 1) this.#postNext(begun);
      await pause(tickMs);
    }
    await Promise.all(this.#underWay);
    for (const client of this.#clients) client.close();
  }

  #postNext(nth: number): void {
    const posting = this.#postAny(nth).finally(() => this.#underWay.delete(posting));
    this.#underWay.add(posting);
  }

  async #postAny(nth: number): Promise<void> {
    const token = this.#applications[nth % this.#applications.length] ?? "";
    if (nth % shares.application === 0) await this.#post("application", "/applications", "name");
    else if (nth % shares.chat === 1) await this.#post("chat", `/applications/${token}/chats`, "title");
    else {
      const chat = this.#chats[nth % this.#chats.length] ?? "";
      await this.#post("message", `${chat}/messages`, "body");
    }
  }

  async #post(
    kind: "application" | "chat" | "message",
    path: string,
    field: string,
  ): Promise<Created | undefined> {
    const [sent, answers] = [(this.#sent += 1), this.#answers];
    const text = this.#text(kind, sent);
    const client = this.#clients[sent % this.#clients.length];
    const began = performance.now();
    let answer: Answer<Created> | undefined;
    try {
      answer = await client?.post<Created>(path, { [field]: text });
    } catch (error) {
      answers.noteError(error);
    }
    if (answer) answers.note(kind, answer, performance.now() - began);
    if (answer?.status !== 201) {
      this.#ledger.doubt(text);
      return undefined;
    }
    const { token, number } = answer.body;
    if (kind === "application") this.#ledger.accept({ text, place: token });
    else {
      this.#ledger.accept({ text, place: `${path} ${number}` });
      if (kind === "chat" && !this.#isOdd(text)) await this.#write(`${path}/${number}`);
    }
    return answer.body;
  }

  /** One without any message may be flushed, and is then asked for in MySQL, which may be what refuses. */
  async #write(chat: string): Promise<void> {
    if (!(await this.#post("message", `${chat}/messages`, "body"))) return;
    this.#chats.push(chat);
    if (this.#chats.length > chatsKept) this.#chats.shift();
  }

  #isOdd(text: string): boolean {
    return text.startsWith(this.#odd?.head ?? none);
  }

  #text(kind: string, sent: number): string {
    const odd = this.#odd;
    const isOne = odd?.of === `${kind}s` && (odd.of === "chats" || sent % shares.odd === 2);
    return isOne ? `${odd.head}${sent} ${odd.filling}` : `text ${sent}`;
  }
}
