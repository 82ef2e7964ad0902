import type { Redis } from "ioredis";
import type { Knex } from "knex";

import type { FaultProxy } from "../support/fault-proxy.ts";
import type { PrivateEngine } from "../support/private-engines.ts";

export type EngineName = "redis" | "mysql";

/** Real engines, in the hands of whoever administers them; Sluice comes to both as the user `clerk`. */
export interface Ground {
  /** Straight to the server, as one who may do anything. */
  readonly redis: Redis;
  /** Likewise; with connections enough to hold some, and a statement may take as long as it likes. */
  readonly sql: Knex;
  /** Where Sluice has its tables. */
  readonly database: string;
  readonly engines: Readonly<Record<EngineName, PrivateEngine>>;
  /** What Sluice comes through. */
  readonly networks: Readonly<Record<EngineName, FaultProxy>>;
}

/** Lets the engine serve again; also where it was started anew meanwhile. */
export type End = () => Promise<unknown>;

/** A way in which a real engine refuses, or is not there, which somebody in charge of it has brought about. */
export interface Refusal {
  readonly name: string;
  readonly engine: EngineName;
  /** Resolves when it has begun, with how it ends. */
  readonly begin: (ground: Ground) => Promise<End>;
  /** What becomes meanwhile of a POST of a chat or message: 201, 503, or now one and now the other. */
  readonly posts: "go on" | "are refused" | "either";
  /** What an operator is told within ten seconds; nothing where Sluice does not suffer, and all stays well. */
  readonly verdict: Told | undefined;
  /** How some texts differ, which alone the engine refuses. */
  readonly oddTexts?: OddTexts;
  /** Processes tell of it at error level: it does not pass by itself. */
  readonly isDefect?: true;
  /** Scripts met it in their middle: what they left half done is put right by `sluice check --repair`. */
  readonly cutsScripts?: true;
}

export interface Told {
  readonly severity: "bad" | "warning";
  readonly says: RegExp;
}

export interface OddTexts {
  readonly head: string;
  /** What else stands in it, as often as it takes. */
  readonly filling: string;
  readonly of: "chats" | "messages";
}

/** The user that Sluice has in both engines. */
export const clerk = { name: "clerk", password: "secret" } as const;

/** A refusal that is there until a signal aborts: does something again and again. */
export async function again(everyMs: number, act: () => Promise<unknown>): Promise<End> {
  await act();
  let doing: Promise<unknown> = Promise.resolve();
  let isDoing = false;
  const timer = setInterval(() => {
    if (isDoing) return;
    isDoing = true;
    doing = act().finally(() => (isDoing = false));
  }, everyMs);
  return async () => {
    clearInterval(timer);
    await doing;
  };
}
