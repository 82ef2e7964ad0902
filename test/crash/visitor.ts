import { setTimeout as pause } from "node:timers/promises";

import {
  type Act,
  isApplication,
  type Outcome,
  parentOf,
  type Path,
  pathIn,
  type Post,
} from "../observed/recorded.ts";
import type { Recorder } from "../observed/recorder.ts";
import type { Caller, PageAsked } from "./caller.ts";
import type { Random } from "../support/random.ts";
import type { World } from "./world.ts";

type Call = Extract<Act, { outcome: Outcome }>;

/** With a key a POST is repeated until its outcome is known, or so often. */
const repeats = 4;
/** By then the deletion of a record is mostly flushed. */
const longestWaitMs = 130;

/**
 * One client of many. It creates, changes, deletes, reads and lists, one call after the other, mostly what others do
 * the same to at the same time.
 */
export class Visitor {
  readonly #name: string;
  readonly #world: World;
  readonly #caller: Caller;
  readonly #recorder: Recorder;
  readonly #random: Random;
  #texts = 0;

  constructor(name: string, world: World, parts: { caller: Caller; recorder: Recorder; random: Random }) {
    this.#name = name;
    this.#world = world;
    this.#caller = parts.caller;
    this.#recorder = parts.recorder;
    this.#random = parts.random;
  }

  /** Goes on until the signal aborts and the call in hand has ended. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#world.lulls.during(() => this.#act());
      await pause(this.#random.integer(0, 15));
    }
    this.#caller.close();
  }

  async #act(): Promise<void> {
    const { applications, chats } = this.#world;
    if (applications.length < 3) return this.#post("");
    if (chats.length < 8) return this.#post(this.#world.anyApplication(this.#random));
    const chat = this.#world.anyChat(this.#random);
    const message = this.#world.anyMessage(chat, this.#random) ?? chat;
    let chance = this.#random.next() * 100;
    const act = this.#acts(chat, message, parentOf(chat)).find(([share]) => (chance -= share) < 0);
    await act?.[1]();
  }

  /** What it does, and how often in a hundred. */
  #acts(chat: Path, message: Path, application: Path): readonly (readonly [number, () => Promise<void>])[] {
    return [
      [29, () => this.#post(chat)],
      [3, () => this.#post(application)],
      [0.2, () => this.#post("")],
      [4, () => this.#repeatAnother()],
      [18, () => this.#update(message)],
      [12, () => this.#read(message)],
      [10, () => this.#list(chat)],
      [2, () => this.#list(application)],
      [4, () => this.#delete(message)],
      [7, () => this.#deleteNewest(chat)],
      [2, () => this.#deleteNewest(application)],
      [4, () => this.#update(chat)],
      [2.5, () => this.#read(chat)],
      [0.3, () => this.#delete(chat)],
      [1, () => this.#update(application)],
      [0.9, () => this.#read(application)],
      [0.1, () => this.#delete(application)],
    ];
  }

  /** One call. Where it came to nothing another would not fare better at once. */
  async #do<A extends Call>(call: () => Promise<A>): Promise<A> {
    const done = await this.#recorder.record(this.#name, call);
    if (done.outcome === "unknown" || done.outcome === "refused") await pause(this.#random.integer(20, 200));
    return done;
  }

  async #post(parent: Path): Promise<void> {
    const key = this.#random.next() < 0.4 ? `key ${this.#name} ${this.#texts}` : undefined;
    const text = this.#text(parent === "");
    if (key !== undefined) this.#world.keys.push({ parent, text, key });
    await this.#postAgain(parent, text, key);
  }

  /** Sends again what somebody has sent under a key: it is answered as before, also where it was deleted since. */
  async #repeatAnother(): Promise<void> {
    const call = this.#random.pick(this.#world.keys.slice(-200));
    if (call) await this.#postAgain(call.parent, call.text, call.key);
  }

  async #postAgain(parent: Path, text: string, key: string | undefined): Promise<void> {
    for (let nth = 0; nth <= repeats; nth += 1) {
      const post = await this.#do(() => this.#caller.post(parent, text, key));
      this.#learn(post);
      if (post.outcome !== "unknown" || key === undefined) return;
    }
  }

  #learn({ parent, name, isReplayed }: Post): void {
    if (name !== undefined && !isReplayed) this.#world.add(pathIn(parent, name));
  }

  async #update(path: Path): Promise<void> {
    const text = this.#text(isApplication(path));
    await this.#do(() => this.#caller.update(path, text));
  }

  async #read(path: Path): Promise<void> {
    await this.#do(() => this.#caller.read(path));
  }

  async #delete(path: Path): Promise<void> {
    this.#world.remove(path);
    await this.#do(() => this.#caller.delete(path));
  }

  /** Deletes the newest and posts the next, at whatever moment of the flush. */
  async #deleteNewest(parent: Path): Promise<void> {
    const newest = this.#world.newestIn(parent);
    if (newest === undefined) return;
    this.#world.remove(newest);
    await this.#do(() => this.#caller.delete(newest));
    await pause(this.#random.integer(0, longestWaitMs));
    await this.#post(parent);
  }

  async #list(parent: Path): Promise<void> {
    await this.#do(() => this.#caller.list(parent, this.#anyPage(parent)));
  }

  #anyPage(parent: Path): PageAsked {
    const order = this.#random.next() < 0.5 ? "asc" : "desc";
    const perPage = this.#random.integer(1, 20);
    if (this.#random.next() < 0.5) return { order, perPage, page: this.#random.integer(1, 3) };
    const newest = Number(this.#world.newestIn(parent)?.split("/").at(-1) ?? 0);
    return { order, perPage, after: Math.max(1, newest - this.#random.integer(-5, 40)) };
  }

  /** A text unlike any other; now and then one that MySQL refuses, where it refuses any. */
  #text(isOfApplication: boolean): string {
    const head = !isOfApplication && this.#random.next() < 0.02 ? this.#world.refusedHead : "";
    const long = this.#random.next() < 0.03 ? " ö✓".repeat(60) : "";
    return `${head}${this.#name}-${(this.#texts += 1)}${long}`;
  }
}
