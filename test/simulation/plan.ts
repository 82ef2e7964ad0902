/** What happens in a run, as far as it is not chance of each step: who asks what and when, and what goes wrong. */
import type { Settings } from "./product.ts";
import type { CallFault, LinkFault, Pace } from "./steps.ts";

/** What a client asks. Chats and messages are named by their place from the newest that is known then. */
export type Ask =
  | { readonly do: "post chat"; readonly text: string; readonly key?: string }
  | { readonly do: "post message"; readonly chat: number; readonly text: string; readonly key?: string }
  /** To the chat whose number will be given next, or is in this moment: nobody was told of it. */
  | { readonly do: "post to guessed"; readonly text: string; readonly key?: string }
  | { readonly do: "update chat"; readonly chat: number; readonly text: string }
  | {
      readonly do: "update message";
      readonly chat: number;
      readonly message: number;
      readonly text: string;
    }
  | { readonly do: "delete chat"; readonly chat: number }
  | { readonly do: "get chat"; readonly chat: number }
  | { readonly do: "delete message"; readonly chat: number; readonly message: number }
  | { readonly do: "get message"; readonly chat: number; readonly message: number }
  | { readonly do: "list chats"; readonly page: ListPage }
  | { readonly do: "list messages"; readonly chat: number; readonly page: ListPage }
  | { readonly do: "create application"; readonly key: string }
  | { readonly do: "delete application" }
  | { readonly do: "get application" }
  | { readonly do: "requeue"; readonly nth: number }
  | { readonly do: "discard"; readonly nth: number };

export interface ListPage {
  readonly order: "asc" | "desc";
  readonly perPage: number;
}

export interface ClientOperation {
  /** The same whatever is taken from a plan. */
  readonly id: string;
  readonly api: 0 | 1;
  /** After the round began. */
  readonly atMs: number;
  /** The operation whose answer its client waits for before. */
  readonly after?: string;
  readonly ask: Ask;
}

export interface Round {
  readonly before: "nothing" | "a while" | "flush" | "an hour" | "a flush and an hour" | "a week" | "counts";
  readonly operations: readonly ClientOperation[];
  /** When the minute comes for the flushers, if it does. */
  readonly minuteAtMs?: number;
  /** The operation after whose answer the minute comes. */
  readonly minuteAfter?: string;
  /** A loss at a moment that the schedule chooses. */
  readonly loss?: EngineFault["what"];
}

/** What befalls an engine at a moment of a round. */
export interface EngineFault {
  readonly kind: "engine";
  readonly what:
    | "redis emptied"
    /** By hand: it goes on serving, and no connection is lost. */
    | "redis flushed"
    | "redis put back"
    | "mysql put back"
    | "redis away"
    | "mysql away"
    | "elasticsearch away";
  readonly round: number;
  readonly atMs: number;
  /** Strikes so long after the first call of this name in the round, instead. */
  readonly after?: string;
  /** At the beginning of this round the copy was taken that is put back, where not as `takenAtMs` says. */
  readonly takenInRound?: number;
  /** When the copy was taken that is put back: this long before, or at the beginning of the round. */
  readonly takenAtMs: number;
  readonly ms: number;
}

export type Fault = CallFault | LinkFault | EngineFault;

export interface Plan {
  readonly seed: number;
  readonly settings: Settings;
  readonly pace: Pace;
  readonly flushers: number;
  /** By how much the clocks of the processes are ahead. */
  readonly skewsMs: readonly number[];
  readonly chats: number;
  readonly messages: number;
  readonly rounds: readonly Round[];
  readonly faults: readonly Fault[];
}

/** Which faults may be in a plan. */
export interface PlanOptions {
  readonly losses: ReadonlySet<EngineFault["what"]>;
}

export const everyLoss: PlanOptions = {
  losses: new Set([
    "redis emptied",
    "redis flushed",
    "redis put back",
    "mysql put back",
    "redis away",
    "mysql away",
  ]),
};
