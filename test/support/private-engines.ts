import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { provideBinaries, thisMachine } from "../../embedded/binaries.mjs";
import { findElasticsearch } from "../../embedded/elasticsearch-home.mjs";
import { removePlace } from "../../embedded/elasticsearch-place.mjs";
import { elasticsearchEngine } from "../../embedded/elasticsearch.mjs";
import { databaseEngine } from "../../embedded/mariadb.mjs";
import { freePort } from "../../embedded/ports.mjs";
import { findProcess, isRunning } from "../../embedded/processes.mjs";
import { redisEngine } from "../../embedded/redis.mjs";
import { childrenOf } from "./children.ts";
import { waitFor } from "./wait-for.ts";

const startAttempts = 3;

type EngineDefinition = ReturnType<typeof databaseEngine>;
type Kind = "redis" | "database" | "elasticsearch";

/** An engine that a test may stop, kill and start again, on the same port with the same data. */
export class PrivateEngine {
  readonly #engine: EngineDefinition;
  readonly #directory: string;
  readonly port: number;
  readonly #extraArgs: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(
    engine: EngineDefinition,
    directory: string,
    port: number,
    extraArgs: readonly string[],
  ) {
    this.#engine = engine;
    this.#directory = directory;
    this.port = port;
    this.#extraArgs = extraArgs;
  }

  /**
   * Starts one of its own for a test; `REDIS_URL`, `DATABASE_…` or `ELASTICSEARCH_URL` is in `env`.
   *
   * @throws when there is no program for it; a suite that starts an Elasticsearch asks before whether it can
   */
  static async start(kind: Kind, extraArgs: readonly string[] = []): Promise<PrivateEngine> {
    const directory = mkdtempSync(path.join(tmpdir(), `sluice-${kind}-`));
    const definition = define(kind, directory);
    for (let attempt = 1; ; attempt += 1) {
      const engine = new PrivateEngine(definition, directory, await freePort(), extraArgs);
      try {
        await engine.start();
        return engine;
      } catch (error) {
        // Somebody may have taken the port between the look and the start.
        await engine.stop("SIGKILL");
        if (attempt === startAttempts) throw error;
      }
    }
  }

  get env(): NodeJS.ProcessEnv {
    return this.addressesAt(this.port);
  }

  /** As `env`, for somebody who comes through another port. */
  addressesAt(port: number): NodeJS.ProcessEnv {
    return this.#engine.addresses(port);
  }

  /** The process that serves. */
  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error(`${this.#engine.name} does not run`);
    // Elasticsearch has a launcher, which is the one that was started here.
    return childrenOf(this.#child.pid)[0] ?? this.#child.pid;
  }

  async start(): Promise<void> {
    await this.#engine.prepare();
    const { command, args, argv0, cwd, env, user } = this.#engine.program(this.port);
    const child = spawn(command, [...args, ...this.#extraArgs], {
      stdio: "ignore",
      ...(argv0 !== undefined && { argv0 }),
      ...(cwd !== undefined && { cwd }),
      ...(env && { env }),
      ...user,
    });
    this.#child = child;
    const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
    await waitFor(async () => hasEnded() || (await this.#engine.ready(this.port)), {
      what: this.#engine.name,
      timeoutMs: 300_000,
    });
    if (hasEnded()) throw new Error(`${this.#engine.name} ended before it was ready`);
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    const { pid } = this;
    const server = findProcess(pid);
    // A launcher that is killed would leave its server the time to end in order.
    if (signal === "SIGKILL") process.kill(pid, signal);
    child.kill(signal);
    await exited;
    // Its memory is given back first, which a launcher that is gone does not wait for.
    await waitFor(() => !server || !isRunning(server), { what: `${this.#engine.name} to be gone` });
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

  /** Removes its data; it must be stopped. It starts again as a new one would, under the same password. */
  loseData(): void {
    rmSync(this.#directory, { recursive: true });
  }

  get #copy(): string {
    return `${this.#directory}-copy`;
  }

  /** Stops it and removes its data. */
  async close(): Promise<void> {
    await this.stop("SIGKILL");
    removePlace(this.#directory, process.env);
    for (const directory of [this.#directory, this.#copy])
      rmSync(directory, { recursive: true, force: true });
  }
}

function define(kind: Kind, directory: string): EngineDefinition {
  if (kind === "elasticsearch") {
    const found = findElasticsearch(process.env);
    if ("lack" in found) throw new Error(found.lack);
    return elasticsearchEngine(directory, found, process.env);
  }
  const wanted = { redis: kind === "redis", database: kind === "database" };
  const binaries = provideBinaries(wanted, thisMachine(process.env), console.log);
  if (binaries.redis) return redisEngine(directory, binaries.redis);
  if (binaries.database) return databaseEngine(directory, binaries.database);
  throw new Error(`no program for ${kind}`);
}
