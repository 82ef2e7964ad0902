import { nanoid } from "nanoid";

import { cpuOf, type CpuUse, type Pids } from "./cpu.ts";
import { enginePids } from "./engines.ts";
import { applyLoad, type Load, type LoadResult } from "./load.ts";
import { type NodeFlags, peer, Program, sluice } from "./program.ts";
import { messageJson, Stage } from "./stage.ts";
import { figure } from "./table.ts";

export interface ServerKind {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly settings: NodeJS.ProcessEnv;
  readonly hasKeys: boolean;
  /** From how many addresses its requests are said to come, where not from one. */
  readonly addresses?: number;
  readonly nodeFlags?: NodeFlags;
}

const asSluice = (name: string, settings: NodeJS.ProcessEnv = {}, hasKeys = false): ServerKind => {
  return { name, script: sluice, args: ["api"], settings, hasKeys };
};

/** Sluice as it is by default: each request has a line in the log. */
export const sluiceKind = asSluice("Sluice");
export const silentSluice = asSluice("Sluice, LOG_LEVEL=warn", { LOG_LEVEL: "warn" });
export const sluiceWithKeys = asSluice("Sluice, each with an Idempotency-Key", {}, true);
export const echo = peerWith("bare node:http, echo", "echo");
export const fastifyBullmq = peerWith("Fastify + BullMQ", "fastify-bullmq");
export const koaInsert = peerWith("Koa + direct INSERT", "koa-insert");

/** A program of `bench/peers`. */
export function peerWith(name: string, file: string, args: readonly string[] = []): ServerKind {
  return { name, script: peer(file), args, settings: {}, hasKeys: false };
}

/** Sluice with other settings than the default ones. */
export function sluiceWith(name: string, settings: NodeJS.ProcessEnv): ServerKind {
  return asSluice(name, settings);
}

/** Sluice as it is by default, behind a proxy that tells it of many clients. */
export function sluiceFor(addresses: number): ServerKind {
  return {
    ...asSluice(`Sluice, asked by ${figure(addresses)} addresses`, { TRUSTED_PROXIES: "1" }),
    addresses,
  };
}

/** What a turn of load came to, and what it took. */
export interface Turn extends LoadResult {
  /** Microseconds of processor time a request. */
  readonly cpuUs: CpuUse;
}

/** A server under test, in a corner of its own. */
export class Server {
  readonly name: string;
  readonly stage: Stage;
  readonly #program: Program;
  readonly #url: string;
  readonly #kind: ServerKind;
  readonly #pids: Pids;
  readonly #postPaths: string;

  private constructor(
    kind: ServerKind,
    stage: Stage,
    { program, url }: { program: Program; url: string },
    engines: Omit<Pids, "node">,
  ) {
    this.name = kind.name;
    this.stage = stage;
    this.#program = program;
    this.#url = url;
    this.#kind = kind;
    this.#pids = { node: [program.pid], ...engines };
    this.#postPaths = stage.writePaths();
  }

  static async start(kind: ServerKind, stage?: Stage): Promise<Server> {
    const own = stage ?? (await Stage.open(kind.settings));
    const running = await Program.serve(
      kind.script,
      kind.args,
      { ...own.env, ...kind.settings },
      kind.nodeFlags,
    );
    return new Server(kind, own, running, await enginePids(own.workspace));
  }

  get pid(): number {
    return this.#program.pid;
  }

  get url(): string {
    return this.#url;
  }

  /** Posts messages to the chats in turn. */
  post(connections: number, seconds: number): Promise<Turn> {
    const { hasKeys, addresses = 0 } = this.#kind;
    const keyPrefix = hasKeys ? `${nanoid()}-` : "";
    const load = {
      method: "POST",
      pathsFile: this.#postPaths,
      body: messageJson,
      keyPrefix,
      addresses,
    } as const;
    return this.load({ ...load, connections, seconds });
  }

  async load(load: Omit<Load, "url">): Promise<Turn> {
    const { result, cpu } = await cpuOf(this.#pids, () => applyLoad({ ...load, url: this.#url }));
    const us = (seconds: number) => (seconds * 1e6) / result.requests;
    return { ...result, cpuUs: { node: us(cpu.node), redis: us(cpu.redis), mysql: us(cpu.mysql) } };
  }

  async close(): Promise<void> {
    await this.#program.end();
    await this.stage.close();
  }
}

/** Starts servers, hands them over, and closes them however that ends. */
export async function withServers<T>(
  kinds: readonly ServerKind[],
  act: (servers: readonly Server[]) => Promise<T>,
): Promise<T> {
  const servers: Server[] = [];
  try {
    for (const kind of kinds) servers.push(await Server.start(kind));
    return await act(servers);
  } finally {
    for (const server of servers) await server.close();
  }
}
