import { expect } from "chai";

import { checkHistory } from "./check-history.ts";
import type { Act, Item, Outcome, Recorded } from "./recorded.ts";

const chat = "app/1";

/** Acts one after the other, each of a millisecond, unless it says how many it goes on for. */
function historyOf(...acts: readonly (Act | readonly [Act, number])[]): Recorded[] {
  return acts.map((one, at) => {
    const [act, lastsMs] = "do" in one ? [one, 1] : one;
    return { ...act, client: `c${at % 3}`, beganMs: 2 * at, endedMs: 2 * at + lastsMs };
  });
}

interface Posting {
  readonly text?: string;
  readonly key?: string;
  readonly isReplayed?: boolean;
  readonly outcome?: Outcome;
  readonly parent?: string;
}

function post(name: number | undefined, posting: Posting = {}): Act {
  const { text = `text ${name}`, key, isReplayed = false, parent = chat } = posting;
  const outcome = posting.outcome ?? (name === undefined ? "unknown" : "done");
  return { do: "post", parent, text, key, outcome, name: name?.toString(), isReplayed };
}

const at = (number: number) => `${chat}/${number}`;
const read = (number: number, seen: string): Act => ({ do: "read", path: at(number), outcome: "done", seen });
const missed = (path: string): Act => ({ do: "read", path, outcome: "missing", seen: undefined });
const update = (number: number, text: string, outcome: Outcome = "done"): Act => ({
  do: "update",
  path: at(number),
  text,
  outcome,
  seen: outcome === "done" ? text : undefined,
});
const remove = (path: string, outcome: Outcome = "done"): Act => ({ do: "delete", path, outcome });
const discard = (path: string): Act => ({ do: "discard", path, outcome: "done" });
const item = (number: number): Item => ({ number, text: `text ${number}` });
const list = (numbers: readonly number[], order: "asc" | "desc" = "asc", to = Infinity): Act => ({
  do: "list",
  parent: chat,
  order,
  outcome: "done",
  items: numbers.map(item),
  from: 0,
  to,
});

/** The chat that all else happens in. */
const chatMade: readonly Act[] = [
  { do: "post", parent: "", text: "an app", key: undefined, outcome: "done", name: "app", isReplayed: false },
  post(1, { parent: "app", text: "a chat" }),
];

const isRefused = (text: string) => text.startsWith("refused");
const problemsOf = (...acts: readonly (Act | readonly [Act, number])[]) =>
  checkHistory(historyOf(...chatMade, ...acts), isRefused).problems;

describe("A history of many clients", () => {
  describe("is in order", () => {
    const accepted: Readonly<Record<string, readonly (Act | readonly [Act, number])[]>> = {
      "with numbers that rise, changes that are seen and deletions that stay": [
        ...[1, 2, 3].map((number) => post(number)),
        list([1, 2, 3]),
        update(2, "changed"),
        read(2, "changed"),
        remove(at(3)),
        missed(at(3)),
        list([1], "asc", 1),
        post(4),
      ],
      "with numbers in either order of two that were asked for at a time": [
        [post(2), 5],
        [post(1), 5],
        list([1, 2]),
      ],
      "with a key sent again, also after its record was deleted": [
        post(1, { key: "k" }),
        remove(at(1)),
        post(1, { key: "k", isReplayed: true }),
        missed(at(1)),
        post(2),
      ],
      "with a record that was made by a post without an answer": [
        post(undefined, { text: "text 1" }),
        list([1]),
        post(2),
      ],
      "with a key sent again until it was answered": [
        post(undefined, { text: "text 1", key: "k" }),
        list([1]),
        post(1, { key: "k", isReplayed: true }),
      ],
      "with a change that may have happened, seen by none or by some": [
        post(1),
        update(1, "maybe", "unknown"),
        read(1, "text 1"),
        read(1, "maybe"),
        update(1, "never seen", "unknown"),
      ],
      "with a change that was overtaken by the deletion": [
        post(1),
        [update(1, "late", "missing"), 9],
        read(1, "late"),
        remove(at(1)),
      ],
      "with an application that is deleted and for a moment still seen": [
        post(1),
        [remove("app"), 9],
        missed(at(1)),
        read(1, "text 1"),
      ],
      "with what was not flushed gone after a loss of Redis, and numbers above": [
        post(1),
        { do: "drain" },
        post(2),
        { do: "lose" },
        list([1]),
        post(1001),
        list([1, 1001]),
      ],
      "with an older copy that still has a chat of an application deleted since": [
        { do: "copy" },
        remove("app"),
        { do: "put back" },
        list([]),
        { do: "drain" },
        { ...list([]), outcome: "missing" } as Act,
      ],
      "with a key that was forgotten at a loss of Redis": [
        post(1, { key: "k", text: "keyed" }),
        { do: "lose" },
        post(1001, { key: "k", text: "keyed" }),
      ],
      "with a message in a chat whose deletion was lost": [
        { do: "drain" },
        remove(chat),
        { do: "lose" },
        post(1),
        list([1]),
      ],
      "with a message thrown away whose chat was refused": [
        post(2, { parent: "app", text: "refused chat" }),
        post(1, { parent: "app/2", text: "stranded" }),
        { do: "drain" },
        discard("app/2/1"),
        missed("app/2/1"),
      ],
      "with a dead letter thrown away, and one tried again": [
        post(1, { text: "refused 1" }),
        post(2, { text: "refused 2" }),
        discard(at(1)),
        missed(at(1)),
        read(2, "refused 2"),
      ],
    };
    for (const [what, acts] of Object.entries(accepted))
      it(what, () => {
        expect(problemsOf(...acts)).to.deep.equal([]);
      });
  });

  describe("is found out", () => {
    const rejected: Readonly<Record<string, readonly [RegExp, ...(Act | readonly [Act, number])[]]>> = {
      "with a number twice": [/app\/1\/1 was given twice/, post(1), post(1, { text: "another" })],
      "with a deleted number again": [
        /app\/1\/1 was given twice/,
        post(1),
        remove(at(1)),
        post(1, { text: "new" }),
      ],
      "with a lost number again": [
        /app\/1\/1 was given twice/,
        post(1),
        { do: "lose" },
        post(1, { text: "after the loss" }),
      ],
      "with a number again that a post without an answer had": [
        /app\/1\/1 is of two/,
        post(undefined, { text: "unanswered" }),
        read(1, "unanswered"),
        post(1),
      ],
      "with a number below one that was answered before": [
        /app\/1\/1 came after app\/1\/2/,
        post(2),
        post(1),
      ],
      "with a key that made two records": [
        /one post made app\/1\/1 and app\/1\/2/,
        post(1, { key: "k", text: "keyed" }),
        post(2, { key: "k", text: "keyed" }),
      ],
      "with one post seen as two records": [
        /one post made app\/1\/1 and app\/1\/2/,
        post(undefined, { text: "once" }),
        read(1, "once"),
        read(2, "once"),
      ],
      "with a lost update": [
        /app\/1\/1: nothing led up to "see"/,
        post(1),
        update(1, "changed"),
        read(1, "text 1"),
      ],
      "with a read after the deletion": [/app\/1\/1: nothing/, post(1), remove(at(1)), read(1, "text 1")],
      "with a record brought back by its key": [
        /app\/1\/1: nothing/,
        post(1, { key: "k" }),
        remove(at(1)),
        post(1, { key: "k", isReplayed: true }),
        read(1, "text 1"),
      ],
      "with a text that nobody wrote": [/app\/1\/1: nothing/, post(1), read(1, "whose?")],
      "with a record that nobody made": [/app\/1\/7: nothing/, post(1), read(7, "whose?")],
      "with a hole in a list": [
        /app\/1\/2: nothing led up to "miss"/,
        ...[1, 2, 3].map((one) => post(one)),
        list([1, 3]),
      ],
      "with a list that ends too soon": [/app\/1\/2: nothing led up to "miss"/, post(1), post(2), list([1])],
      "with a deleted record in a list": [/app\/1\/1: nothing/, post(1), remove(at(1)), list([1])],
      "with a list out of order": [/a page of app\/1 is out of order/, post(1), post(2), list([2, 1])],
      "with a list that has one twice": [/a page of app\/1 is out of order/, post(1), list([1, 1], "desc")],
      "with a message accepted in a deleted chat": [/app\/1: nothing/, post(1), remove(chat), post(2)],
      "with a message seen in a deleted chat": [
        /app\/1\/1: nothing/,
        post(1),
        remove(chat),
        read(1, "text 1"),
      ],
      "with a message gone beneath a chat that was thrown away before it": [
        /app\/1\/1: nothing led up to "miss"/,
        discard(chat),
        post(1),
        missed(at(1)),
      ],
      "with an application that returns": [
        /app: nothing/,
        remove("app"),
        { do: "read", path: "app", outcome: "done", seen: "an app" },
      ],
      "with an application that is served after its removal has come to it": [
        /app: nothing/,
        { do: "copy" },
        remove("app"),
        { do: "put back" },
        post(1, { parent: "another" }),
        { do: "drain" },
        list([]),
      ],
      "with something lost that had been flushed": [
        /app\/1\/1: nothing led up to "miss"/,
        post(1),
        { do: "drain" },
        { do: "lose" },
        missed(at(1)),
      ],
      "with something lost without a loss": [/app\/1\/1: nothing led up to "miss"/, post(1), missed(at(1))],
      "with a message thrown away whose chat was only changed to what is refused": [
        /app\/1\/1: nothing/,
        { do: "drain" },
        { do: "update", path: chat, text: "refused change", outcome: "done", seen: "refused change" },
        post(1),
        discard(at(1)),
        missed(at(1)),
      ],
      "with a refused neighbour thrown away": [/app\/1\/1: nothing/, post(1), discard(at(1)), missed(at(1))],
    };
    for (const [what, [problem, ...acts]] of Object.entries(rejected))
      it(what, () => {
        expect(problemsOf(...acts).join("\n")).to.match(problem);
      });
  });

  it("is told of shortly, with what led up to the fault", () => {
    const [problem = ""] = problemsOf(post(1), update(1, "changed"), read(1, "text 1"), post(2));
    expect(problem.split("\n")).to.have.lengthOf(4);
    expect(problem).to.include('=> 0.008–0.009 c1 read app/1/1: done "text 1"');
  });
});
