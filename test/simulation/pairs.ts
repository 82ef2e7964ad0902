/** Pairs of operations whose every schedule is tried: each has two actors, of which one may be the flusher. */
import type { Ask, EngineFault, Plan, Round } from "./plan.ts";

export interface Pair {
  readonly name: string;
  readonly chats: number;
  readonly messages: number;
  readonly before: Round["before"];
  /** One client asks these one after the other, through one API process. */
  readonly first: readonly Ask[];
  /** Another client asks these, through the other. */
  readonly second: readonly Ask[];
  /** Whether a flush begins, at once or when the first client has its answers. */
  readonly flush?: "at once" | "after the first";
  readonly loss?: EngineFault["what"];
}

const atRest = { chats: 1, messages: 2, before: "a flush and an hour" } as const;
const page = { order: "asc", perPage: 100 } as const;
const [newest, older] = [
  { chat: 0, message: 0 },
  { chat: 0, message: 1 },
];

export const pairs: readonly Pair[] = [
  {
    name: "the newest message is deleted and flushed, while another is posted to its idle chat",
    ...atRest,
    first: [{ do: "delete message", ...newest }],
    flush: "after the first",
    second: [{ do: "post message", chat: 0, text: "posted" }],
  },
  {
    name: "the newest chat is deleted and flushed, while another is posted",
    ...atRest,
    first: [{ do: "delete chat", chat: 0 }],
    flush: "after the first",
    second: [{ do: "post chat", text: "posted" }],
  },
  {
    name: "a parent is loaded, while another loads it, posts, and a flush runs",
    ...atRest,
    first: [{ do: "post message", chat: 0, text: "first" }],
    flush: "after the first",
    second: [{ do: "post message", chat: 0, text: "second" }],
  },
  {
    name: "a change is flushed, while the record is changed again and deleted",
    ...atRest,
    first: [{ do: "update message", ...newest, text: "once" }],
    flush: "after the first",
    second: [
      { do: "update message", ...newest, text: "twice" },
      { do: "delete message", ...newest },
    ],
  },
  {
    name: "an application is deleted, while its POST is repeated",
    ...atRest,
    first: [{ do: "delete application" }],
    flush: "after the first",
    second: [
      { do: "create application", key: "app" },
      { do: "post chat", text: "posted" },
    ],
  },
  {
    name: "an application is deleted twice",
    ...atRest,
    first: [{ do: "delete application" }],
    second: [{ do: "delete application" }],
  },
  {
    name: "a message is deleted twice, while it is changed",
    ...atRest,
    first: [{ do: "delete message", ...older }],
    second: [
      { do: "update message", ...older, text: "changed" },
      { do: "delete message", ...older },
    ],
  },
  {
    name: "a chat is deleted, while messages are posted to it and listed",
    ...atRest,
    first: [{ do: "delete chat", chat: 0 }],
    second: [
      { do: "post message", chat: 0, text: "posted" },
      { do: "list messages", chat: 0, page },
    ],
  },
  {
    name: "pending messages are flushed, while they are changed and listed",
    chats: 1,
    messages: 2,
    before: "nothing",
    first: [],
    flush: "at once",
    second: [
      { do: "update message", ...newest, text: "changed" },
      { do: "delete message", ...older },
      { do: "list messages", chat: 0, page },
    ],
  },
  {
    name: "a refused chat is discarded, while a message is posted to it",
    chats: 1,
    messages: 0,
    before: "nothing",
    first: [
      { do: "post chat", text: "refused" },
      { do: "discard", nth: 0 },
    ],
    flush: "at once",
    second: [
      { do: "post message", chat: 0, text: "posted" },
      { do: "get chat", chat: 0 },
    ],
  },
  {
    name: "Redis is put back, while a parent is loaded that another has posted to",
    ...atRest,
    first: [{ do: "post message", chat: 0, text: "first" }],
    flush: "after the first",
    second: [{ do: "post message", chat: 0, text: "second" }],
    loss: "redis put back",
  },
  {
    name: "Redis is emptied, while a message is posted and flushed",
    ...atRest,
    first: [{ do: "post message", chat: 0, text: "first" }],
    flush: "after the first",
    second: [],
    loss: "redis emptied",
  },
  {
    name: "Redis is emptied by hand, while two post to a chat and it is flushed",
    ...atRest,
    first: [{ do: "post message", chat: 0, text: "first" }],
    flush: "after the first",
    second: [{ do: "post message", chat: 0, text: "second" }],
    loss: "redis flushed",
  },
];

/** The plan of a pair: who begins when is all that is in it. */
export function planOfPair({ first, second, flush, loss, chats, messages, before }: Pair): Plan {
  const inOrder = (client: string, api: 0 | 1, asks: readonly Ask[]) =>
    asks.map((ask, nth) => ({
      id: `${client}${nth}`,
      api,
      atMs: 0,
      ask,
      ...(nth > 0 && { after: `${client}${nth - 1}` }),
    }));
  const round: Round = {
    before,
    operations: [...inOrder("a", 0, first), ...inOrder("b", 1, second)],
    ...(flush === "at once" && { minuteAtMs: 0 }),
    ...(flush === "after the first" && { minuteAfter: `a${first.length - 1}` }),
    ...(loss && { loss }),
  };
  return {
    seed: 1,
    settings: { thresholds: { chats: 1000, messages: 1000 }, maxRows: 10, mostOwed: 0 },
    pace: { stalls: 0, mostStallMs: 1, hasReplySteps: loss !== undefined },
    flushers: 1,
    skewsMs: [0, 0, 0, 0],
    chats,
    messages,
    rounds: [round],
    faults: [],
  };
}
