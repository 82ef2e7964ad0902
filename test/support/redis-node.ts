import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { Redis, type RedisOptions } from "ioredis";

import { provideBinaries, thisMachine } from "../../embedded/binaries.mjs";
import { freePort } from "../../embedded/ports.mjs";
import { waitFor } from "./wait-for.ts";

/** What all nodes of a test ask for, and give each other. */
export const nodePassword = "secret:of@the/nodes";

/** Lines of a node that writes down all it is given, and hands it to its replicas at once. */
export const keepingLines = ["appendonly yes", 'save ""', "repl-diskless-sync-delay 0"] as const;

export interface NodeSettings {
  /** Lines of its configuration. */
  readonly lines: readonly string[];
  readonly isSentinel?: boolean;
  /** How its clients connect, beyond address and password. */
  readonly client?: Pick<RedisOptions, "tls">;
}

/** One Redis or sentinel of several, on a port that it keeps when it is started again. */
export class RedisNode {
  readonly port: number;
  readonly #directory: string;
  readonly #settings: NodeSettings;
  #child: ChildProcess | undefined;
  #client: Redis | undefined;

  private constructor(port: number, settings: NodeSettings) {
    this.port = port;
    this.#settings = settings;
    this.#directory = mkdtempSync(path.join(tmpdir(), "sluice-redis-node-"));
    // Written once: a sentinel keeps there what it has learnt.
    writeFileSync(
      path.join(this.#directory, "redis.conf"),
      [
        "bind 127.0.0.1",
        ...(settings.lines.some((line) => line.startsWith("port ")) ? [] : [`port ${port}`]),
        `dir ${this.#directory}`,
        `requirepass "${nodePassword}"`,
        ...settings.lines,
        "",
      ].join("\n"),
    );
  }

  static async start(settings: (port: number) => NodeSettings): Promise<RedisNode> {
    const port = await freePort();
    const node = new RedisNode(port, settings(port));
    await node.start();
    return node;
  }

  /** A connection of the test's own, which comes back after each start. */
  get client(): Redis {
    this.#client ??= quietly(
      new Redis(this.port, {
        password: nodePassword,
        maxRetriesPerRequest: null,
        retryStrategy: () => 100,
        ...this.#settings.client,
      }),
    );
    return this.#client;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves when it answers, with its data read back. */
  async start(): Promise<void> {
    const { redis } = provideBinaries(
      { redis: true, database: false },
      thisMachine(process.env),
      console.log,
    );
    if (!redis) throw new Error("no program for redis");
    const args = ["redis.conf", ...(this.#settings.isSentinel ? ["--sentinel"] : [])];
    const child = spawn(redis.command, args, { argv0: redis.argv0, cwd: this.#directory, stdio: "ignore" });
    this.#child = child;
    const answers = () => this.client.ping().then(Boolean, () => false);
    await waitFor(async () => !this.isRunning || (await answers()), { what: `a Redis at ${this.port}` });
    if (!this.isRunning) throw new Error("a Redis ended before it was ready");
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Gone when it resolves. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || !this.isRunning) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  /** Removes what it was given, and not what it knows of its neighbours; it must not run. */
  loseData(): void {
    for (const name of ["appendonlydir", "dump.rdb"])
      rmSync(path.join(this.#directory, name), { recursive: true, force: true });
  }

  /** A field of what it says of itself. */
  async info(section: string, field: string): Promise<string | undefined> {
    return new RegExp(`^${field}:(.*?)\\r?$`, "m").exec(await this.client.info(section))?.[1];
  }

  /** Ends it and removes its data. */
  async close(): Promise<void> {
    this.#client?.disconnect();
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** A client whose lost connections are what a test is about. */
export function quietly<T extends { on(event: "error", listener: () => void): unknown }>(client: T): T {
  client.on("error", () => undefined);
  return client;
}
