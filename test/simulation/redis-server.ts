/**
 * The Redis of the simulation: a real server, and beside it what must follow virtual time or be under the seed's hand:
 * expiries, who it says it is, whom it publishes to, and copies that are put back.
 */
import type { Redis } from "ioredis";

import { beginningMs } from "./world.ts";

/** All that it holds at one moment. */
export interface RedisCopy {
  readonly values: readonly (readonly [key: string, dump: Buffer])[];
  readonly deadlines: ReadonlyMap<string, number>;
}

type Command = (...args: unknown[]) => Promise<unknown>;

/**
 * In a script `redis.call` notes what has to do with time or with subscribers, tells virtual time, which is the last
 * argument, and passes on the rest: Redis itself never lets a key expire. The notes come back with the reply.
 */
const prelude = `
local sim_redis, sim_notes, sim_now = redis, {}, tonumber(table.remove(ARGV))
local redis = { error_reply = sim_redis.error_reply, status_reply = sim_redis.status_reply, pcall = sim_redis.pcall }
local function sim_note(...)
  for _, part in ipairs({ ... }) do sim_notes[#sim_notes + 1] = tostring(part) end
end
function redis.call(command, key, ...)
  local name, args = string.upper(command), { ... }
  if name == 'TIME' then
    return { string.format('%.0f', math.floor(sim_now / 1000)), string.format('%.0f', sim_now % 1000 * 1000) }
  end
  if name == 'EXPIRE' or name == 'PEXPIRE' then
    if sim_redis.call('EXISTS', key) == 0 then return 0 end
    sim_note('expire', key, tonumber(args[1]) * (name == 'EXPIRE' and 1000 or 1))
    return 1
  elseif name == 'PERSIST' then
    sim_note('persist', key, '')
    return 1
  elseif name == 'DEL' or name == 'UNLINK' then
    sim_note('persist', key, '')
    for _, other in ipairs(args) do sim_note('persist', other, '') end
  elseif name == 'PUBLISH' then
    sim_note('publish', key, args[1])
    return 0
  elseif name == 'SET' then
    sim_note('persist', key, '')
    local kept, at = {}, 1
    while args[at] do
      local option = at > 1 and string.upper(tostring(args[at])) or ''
      if option == 'EX' or option == 'PX' then
        sim_note('expire', key, tonumber(args[at + 1]) * (option == 'EX' and 1000 or 1))
        at = at + 1
      else
        kept[#kept + 1] = args[at]
      end
      at = at + 1
    end
    return sim_redis.call('SET', key, unpack(kept))
  end
  return sim_redis.call(command, key, ...)
end
local function sim_main()
`;
const postlude = `
end
local sim_reply = sim_main()
return { sim_notes, sim_reply }
`;

export class RedisServer {
  readonly #client: Redis;
  readonly #commands: Record<string, Command>;
  readonly #namespace: string;
  readonly #scripts = new Map<string, string>();
  #deadlines = new Map<string, number>();
  #lives = 1;
  nowMs: () => number = () => 0;
  onPublish: (channel: string, message: string) => void = () => undefined;

  constructor(client: Redis, namespace: string) {
    this.#client = client;
    this.#commands = client as unknown as Record<string, Command>;
    this.#namespace = namespace;
  }

  /** What it answers who asks which process serves. */
  get identity(): string {
    return `life${this.#lives}`;
  }

  /** Makes a script known under a name. */
  define(name: string, lua: string): void {
    if (this.#scripts.get(name) === lua) return;
    this.#scripts.set(name, lua);
    // Its flags, if it has any, must stay the first line.
    const [flags = ""] = /^#!.*\n/.exec(lua) ?? [];
    this.#client.defineCommand(`sim-${name}`, {
      lua: `${flags}${prelude}${lua.slice(flags.length)}${postlude}`,
    });
  }

  /** Runs a script with the number of its keys, its keys and its arguments. */
  async script(name: string, args: readonly unknown[]): Promise<unknown> {
    const nowMs = beginningMs + Math.floor(this.nowMs());
    const [notes, reply] = (await this.#command(`sim-${name}`, [...args, nowMs])) as [string[], unknown];
    for (let at = 0; at < notes.length; at += 3) this.#obey(notes.slice(at, at + 3));
    if (reply instanceof Error) throw reply;
    return reply;
  }

  /** Runs a plain command. */
  async command(name: string, args: readonly unknown[]): Promise<unknown> {
    if (name === "publish") {
      this.onPublish(String(args[0]), String(args[1]));
      return 0;
    }
    if (name === "set") return this.#set(String(args[0]), args.slice(1));
    if (["expire", "pexpire", "persist", "eval", "evalsha"].includes(name))
      throw new Error(`the simulation does not know what to do with ${name}`);
    return this.#command(name, args);
  }

  /** Runs commands together, all or nothing in between. */
  async together(kind: "multi" | "pipeline", commands: readonly QueuedCommand[]): Promise<unknown> {
    const chain = this.#client[kind]() as unknown as Record<string, Command> & { exec(): Promise<unknown> };
    for (const { name, args } of commands) void chain[name]?.(...args);
    return chain.exec();
  }

  /** Removes what has expired by its clock. */
  async expire(): Promise<void> {
    const nowMs = this.nowMs();
    const over = [...this.#deadlines].filter(([, deadline]) => deadline <= nowMs).map(([key]) => key);
    if (over.length === 0) return;
    for (const key of over) this.#deadlines.delete(key);
    await this.#client.unlink(over);
  }

  /** Whether a key is to leave it by itself. */
  expires(key: string): boolean {
    return this.#deadlines.has(key);
  }

  /** Lets time pass for what expires, but for keys that somebody keeps alive. */
  postpone(ms: number, isKept: (key: string) => boolean): void {
    for (const [key, deadline] of this.#deadlines) if (isKept(key)) this.#deadlines.set(key, deadline + ms);
  }

  async copy(): Promise<RedisCopy> {
    const keys = await this.#keys();
    const pipeline = this.#client.pipeline();
    for (const key of keys) pipeline.dumpBuffer(key);
    const dumps = ((await pipeline.exec()) ?? []).map(([, dump]) => dump as Buffer);
    const values = keys.map((key, at) => [key, dumps[at] ?? Buffer.alloc(0)] as const);
    return { values, deadlines: new Map(this.#deadlines) };
  }

  /** Begins a run of its own; that before has left nothing. */
  begin(): void {
    this.#lives = 1;
  }

  /** Starts again with what an older copy holds, or with nothing. */
  async putBack(copy: RedisCopy | undefined): Promise<void> {
    this.#lives += 1;
    await this.#replace(copy);
  }

  /** Forgets all it holds, and serves on. */
  async flush(): Promise<void> {
    await this.#replace(undefined);
  }

  async #replace(copy: RedisCopy | undefined): Promise<void> {
    const keys = await this.#keys();
    const pipeline = this.#client.pipeline();
    if (keys.length > 0) pipeline.unlink(keys);
    for (const [key, dump] of copy?.values ?? []) pipeline.restore(key, 0, dump);
    await pipeline.exec();
    this.#deadlines = new Map(copy?.deadlines);
  }

  async #keys(): Promise<string[]> {
    return (await this.#client.keys(`${this.#namespace}:*`)).sort();
  }

  #command(name: string, args: readonly unknown[]): Promise<unknown> {
    const command = this.#commands[name];
    if (!command) throw new Error(`Redis' client knows no ${name}`);
    return command.apply(this.#client, [...args]);
  }

  #obey([what, key = "", value = ""]: readonly string[]): void {
    if (what === "publish") this.onPublish(key, value);
    else if (what === "expire") this.#deadlines.set(key, this.nowMs() + Number(value));
    else this.#deadlines.delete(key);
  }

  async #set(key: string, args: readonly unknown[]): Promise<unknown> {
    const kept = [...args];
    const at = kept.findIndex((one) => one === "EX" || one === "PX");
    const [unit, time] = at < 0 ? [] : kept.splice(at, 2);
    const before = await this.#client.exists(key);
    const reply = await this.#command("set", [key, ...kept]);
    if (before > 0 && kept.includes("NX")) return reply;
    if (unit === undefined) this.#deadlines.delete(key);
    else this.#deadlines.set(key, this.nowMs() + Number(time) * (unit === "EX" ? 1000 : 1));
    return reply;
  }
}

export interface QueuedCommand {
  readonly name: string;
  readonly args: readonly unknown[];
}
