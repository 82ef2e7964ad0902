import { parentOf, type Path } from "../observed/recorded.ts";
import type { Lulls } from "./lulls.ts";
import type { Random } from "../support/random.ts";

/** What is changed most is what came last: so many of each chat. */
const messagesKept = 12;
const chatsKept = 12;

/** A POST that may be sent again. */
interface KeyedCall {
  readonly parent: Path;
  readonly text: string;
  readonly key: string;
}

/** What the visitors know of, all of them the same. */
export class World {
  readonly applications: Path[] = [];
  readonly chats: Path[] = [];
  readonly keys: KeyedCall[] = [];
  readonly lulls: Lulls;
  /** What a text begins with that MySQL refuses; empty where it refuses none. */
  readonly refusedHead: string;
  readonly #messages = new Map<Path, Path[]>();

  constructor(lulls: Lulls, refusedHead: string) {
    this.lulls = lulls;
    this.refusedHead = refusedHead;
  }

  /** A record that was made. */
  add(path: Path): void {
    const [, chat, message] = path.split("/");
    if (chat === undefined) this.applications.push(path);
    else if (message === undefined) keep(this.chats, path, chatsKept);
    else {
      const siblings = this.#messages.get(parentOf(path)) ?? [];
      this.#messages.set(parentOf(path), siblings);
      keep(siblings, path, messagesKept);
    }
  }

  /** A record that is being deleted, and what belongs to it. */
  remove(path: Path): void {
    const isOf = (one: Path) => one === path || one.startsWith(`${path}/`);
    for (const pool of [this.applications, this.chats, ...this.#messages.values()]) {
      for (const one of pool.filter(isOf)) pool.splice(pool.indexOf(one), 1);
    }
  }

  anyApplication(random: Random): Path {
    return random.pick(this.applications) ?? "";
  }

  anyChat(random: Random): Path {
    return random.pick(this.chats) ?? "";
  }

  anyMessage(chat: Path, random: Random): Path | undefined {
    return random.pick(this.#messages.get(chat) ?? []);
  }

  /** The record of the greatest number that is known of beneath a parent. */
  newestIn(parent: Path): Path | undefined {
    const siblings = this.#messages.get(parent) ?? this.chats.filter((chat) => parentOf(chat) === parent);
    const numberOf = (path: Path) => Number(path.split("/").at(-1));
    return [...siblings].sort((a, b) => numberOf(b) - numberOf(a))[0];
  }
}

function keep(pool: Path[], path: Path, most: number): void {
  pool.push(path);
  if (pool.length > most) pool.shift();
}
