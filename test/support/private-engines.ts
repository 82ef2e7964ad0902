import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { provideBinaries, thisMachine } from "../../embedded/binaries.mjs";
import { databaseEngine } from "../../embedded/mariadb.mjs";
import { freePort } from "../../embedded/ports.mjs";
import { redisEngine } from "../../embedded/redis.mjs";
import { waitFor } from "./wait-for.ts";

/** A Redis or MariaDB that a test may stop, kill and start again, on the same port with the same data. */
export class PrivateEngine {
  readonly #engine: ReturnType<typeof databaseEngine>;
  readonly #directory: string;
  readonly port: number;
  readonly #extraArgs: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(
    engine: ReturnType<typeof databaseEngine>,
    directory: string,
    port: number,
    extraArgs: readonly string[],
  ) {
    this.#engine = engine;
    this.#directory = directory;
    this.port = port;
    this.#extraArgs = extraArgs;
  }

  /** Starts one of its own for a test; `REDIS_URL` or `DATABASE_…` is in `env`. */
  static async start(kind: "redis" | "database", extraArgs: readonly string[] = []): Promise<PrivateEngine> {
    const directory = mkdtempSync(path.join(tmpdir(), `sluice-${kind}-`));
    const wanted = { redis: kind === "redis", database: kind === "database" };
    const binaries = provideBinaries(wanted, thisMachine(process.env), console.log);
    const definition = binaries.redis
      ? redisEngine(directory, binaries.redis)
      : binaries.database && databaseEngine(directory, binaries.database);
    if (!definition) throw new Error(`no program for ${kind}`);
    const engine = new PrivateEngine(definition, directory, await freePort(), extraArgs);
    await engine.start();
    return engine;
  }

  get env(): NodeJS.ProcessEnv {
    return this.addressesAt(this.port);
  }

  /** As `env`, for somebody who comes through another port. */
  addressesAt(port: number): NodeJS.ProcessEnv {
    return this.#engine.addresses(port);
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error(`${this.#engine.name} does not run`);
    return this.#child.pid;
  }

  async start(): Promise<void> {
    await this.#engine.prepare();
    const { command, args, argv0 } = this.#engine.program(this.port);
    const allArgs = [...args, ...this.#extraArgs];
    this.#child = spawn(command, allArgs, { stdio: "ignore", ...(argv0 !== undefined && { argv0 }) });
    await waitFor(() => this.#engine.ready(this.port), { what: this.#engine.name, timeoutMs: 60_000 });
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }

  /** Keeps a copy of its data as they are; it must be stopped. */
  saveData(): void {
    cpSync(this.#directory, this.#copy, { recursive: true });
  }

  /** Puts the kept copy in place of its data; it must be stopped. */
  putDataBack(): void {
    rmSync(this.#directory, { recursive: true });
    cpSync(this.#copy, this.#directory, { recursive: true });
  }

  get #copy(): string {
    return `${this.#directory}-copy`;
  }

  /** Stops it and removes its data. */
  async close(): Promise<void> {
    await this.stop("SIGKILL");
    for (const directory of [this.#directory, this.#copy])
      rmSync(directory, { recursive: true, force: true });
  }
}
