import { readFileSync } from "node:fs";

import { ClusterClient } from "./cluster-client.ts";
import type { Connection } from "./connections.ts";

const names = [
  "accept",
  "begin-load",
  "seed",
  "begin-comparison",
  "begin-first",
  "begin-epoch",
  "find",
  "page",
  "revise",
  "delete-parent",
  "count-flush",
  "read-list",
  "acknowledge",
  "bury",
  "owe",
  "owe-removal",
  "settle",
  "count-indexed",
  "clean",
  "clear-mark",
  "acquire-lease",
  "renew-lease",
  "beat",
  "record-history",
  "who-serves",
  "time",
  "try",
  "mend-counter",
  "mend-listing",
  "mend-total",
  "mend-owed",
  "mend-letter",
] as const;
export type ScriptName = (typeof names)[number];

/**
 * How many keys the calls of requests have. Calls that are made at a time go to a cluster together, those of each
 * master; the client can only tell which those are where it knows that a call begins with a key.
 */
const keyCounts: Partial<Record<ScriptName, readonly number[]>> = {
  find: [5],
  page: [5],
  revise: [9, 13],
};

/** What stands in front of a script, of the files in `lua/shared/`. */
const shared: Partial<Record<ScriptName, readonly string[]>> = {
  accept: ["clock", "waits", "rights"],
  seed: ["parents"],
  find: ["parents"],
  page: ["parents", "payloads"],
  revise: ["parents", "payloads", "clock", "waits"],
  "delete-parent": ["parents", "payloads"],
  acknowledge: ["parents", "clock", "waits"],
  bury: ["parents", "payloads", "clock", "waits"],
  owe: ["clock"],
  try: ["rights"],
};

/**
 * What ends with less in Redis than it began with, or what such work begins with: it is done also while Redis has no
 * memory left, or nothing would ever leave it. Scripts that only read are never refused for that.
 */
const freeing: ReadonlySet<ScriptName> = new Set([
  "begin-comparison",
  "begin-first",
  "begin-epoch",
  "delete-parent",
  "count-flush",
  "acknowledge",
  "bury",
  "owe-removal",
  "settle",
  "count-indexed",
  "acquire-lease",
  "beat",
]);

type CustomCommand = (...keysAndArguments: (string | number)[]) => Promise<unknown>;

/** The Lua files beside this one, each ready to run on one Redis client. Its contract is in its head. */
export class Scripts {
  readonly #connection: Connection;
  readonly #commands: Record<string, CustomCommand>;

  constructor(connection: Connection) {
    const { unsettled: client } = connection;
    for (const name of names) {
      const lua = scriptSource(name);
      client.defineCommand(commandName(name), { lua });
      for (const numberOfKeys of keyCounts[name] ?? []) {
        client.defineCommand(commandName(name, numberOfKeys), { lua, numberOfKeys });
      }
      if (client instanceof ClusterClient)
        client.options.autoPipeliningIgnoredCommands?.push(commandName(name));
    }
    this.#connection = connection;
    this.#commands = connection.client as unknown as Record<string, CustomCommand>;
  }

  /**
   * Runs a script; the promise resolves when all of it has happened.
   *
   * @throws {BufferUnavailableError} when it is not known whether it has.
   */
  async run(name: ScriptName, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    this.#connection.requireConnected();
    const counted = this.#commands[commandName(name, keys.length)];
    if (counted) return counted(...keys, ...args);
    const command = this.#commands[commandName(name)];
    if (command === undefined) throw new Error(`script ${name} is not defined`);
    return command(keys.length, ...keys, ...args);
  }

  /** Tells whether Redis may be another one than before. */
  get reconnects(): number {
    return this.#connection.reconnects;
  }

  /** The clock of the server that has a key, Unix milliseconds. */
  async timeMs(key: string): Promise<number> {
    const [seconds, microseconds] = (await this.run("time", [key], [])) as unknown[];
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  }
}

/** Thrown when a script's reply is none that its contract names: script and caller are of different versions. */
export class UnexpectedReplyError extends Error {
  constructor(script: ScriptName, reply: unknown) {
    super(`script ${script} replied ${JSON.stringify(reply)}`);
    this.name = "UnexpectedReplyError";
  }
}

function commandName(name: ScriptName, keyCount?: number): string {
  return keyCount === undefined ? `sluice-${name}` : `sluice-${name}-${keyCount}`;
}

/** What Redis is given to run: its flags, which must come first, what the script shares with others, and the script. */
export function scriptSource(name: ScriptName): string {
  const flags = freeing.has(name) ? "#!lua flags=allow-oom\n" : "";
  const before = (shared[name] ?? []).map((file) => `shared/${file}`);
  return `${flags}-- ${name}.lua\n${[...before, name].map(fileSource).join("\n")}`;
}

function fileSource(name: string): string {
  return readFileSync(new URL(`lua/${name}.lua`, import.meta.url), "utf8");
}
