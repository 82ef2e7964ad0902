import { readFileSync } from "node:fs";

import type { Connection } from "./connections.ts";

const names = [
  "accept",
  "seed",
  "begin-epoch",
  "find",
  "page",
  "revise",
  "delete-application",
  "acknowledge",
  "bury",
  "owe",
  "settle",
  "clean",
  "clear-mark",
  "acquire-lease",
  "renew-lease",
  "beat",
  "record-history",
] as const;
type ScriptName = (typeof names)[number];

type CustomCommand = (keyCount: number, ...keysAndArguments: (string | number)[]) => Promise<unknown>;

/** The Lua files beside this one, each ready to run on one Redis client. Its contract is in its head. */
export class Scripts {
  readonly #connection: Connection;
  readonly #commands: Record<string, CustomCommand>;

  constructor(connection: Connection) {
    const { client } = connection;
    for (const name of names) client.defineCommand(commandName(name), { lua: source(name) });
    this.#connection = connection;
    this.#commands = client as unknown as Record<string, CustomCommand>;
  }

  /**
   * Runs a script; the promise resolves when all of it has happened.
   *
   * @throws {BufferUnavailableError} when it is not known whether it has.
   */
  async run(name: ScriptName, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const command = this.#commands[commandName(name)];
    if (command === undefined) throw new Error(`script ${name} is not defined`);
    return this.#connection.settled(command.call(this.#commands, keys.length, ...keys, ...args));
  }
}

/** Thrown when a script's reply is none that its contract names: script and caller are of different versions. */
export class UnexpectedReplyError extends Error {
  constructor(script: ScriptName, reply: unknown) {
    super(`script ${script} replied ${JSON.stringify(reply)}`);
    this.name = "UnexpectedReplyError";
  }
}

function commandName(name: ScriptName): string {
  return `sluice-${name}`;
}

function source(name: ScriptName): string {
  return readFileSync(new URL(`lua/${name}.lua`, import.meta.url), "utf8");
}
