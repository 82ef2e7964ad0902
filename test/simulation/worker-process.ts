/** A worker as a process of its own, seen from the program that asks it. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

import type { Searched, searches } from "./exhaustive.ts";
import type { SeedResult } from "./seeds.ts";
import type { Question, WorkerAnswer } from "./worker.ts";

export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #losses: readonly string[] | undefined;

  private constructor(child: ChildProcess, losses: readonly string[] | undefined) {
    this.#child = child;
    this.#losses = losses;
  }

  /**
   * Resolves when it can be asked. `env` says where its engines are, `losses` which of them plans may have, where not
   * all, `directory` where the simulation lies that it runs, where not here.
   */
  static async start(
    env: NodeJS.ProcessEnv,
    losses?: readonly string[],
    directory = import.meta.dirname,
  ): Promise<WorkerProcess> {
    const cwd = path.join(directory, "..", "..");
    const child = fork(path.join(directory, "worker.ts"), { execArgv: ["--import", "tsx"], env, cwd });
    const ended = new AbortController();
    const { signal } = ended;
    const exit = once(child, "exit", { signal }).then(() => Promise.reject(new Error("a worker ended")));
    exit.catch(() => undefined);
    await Promise.race([once(child, "message"), exit]);
    ended.abort();
    return new WorkerProcess(child, losses);
  }

  async run(seed: number, isWatched = false): Promise<SeedResult> {
    const reply = await this.#ask({ ask: "run", seed, losses: this.#losses, isWatched });
    if ("ran" in reply) return reply.ran;
    throw new Error("the worker answered something else");
  }

  async explain(seed: number, kind: string | undefined): Promise<string> {
    const reply = await this.#ask({ ask: "explain", seed, kind, losses: this.#losses });
    if ("explained" in reply) return reply.explained;
    throw new Error("the worker answered something else");
  }

  async search(pair: number, kind: keyof typeof searches, most: number, ms: number): Promise<Searched> {
    const reply = await this.#ask({ ask: "search", pair, kind, most, ms });
    if ("searched" in reply) return reply.searched;
    throw new Error("the worker answered something else");
  }

  async end(): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.send({ ask: "end" } satisfies Question);
    await exited;
  }

  async #ask(question: Question): Promise<WorkerAnswer> {
    const answered = new AbortController();
    const { signal } = answered;
    const reply = once(this.#child, "message", { signal }).then(([message]) => message as WorkerAnswer);
    const exit = once(this.#child, "exit", { signal }).then(() =>
      Promise.reject(new Error("a worker ended")),
    );
    this.#child.send(question);
    try {
      return await Promise.race([reply, exit]);
    } finally {
      exit.catch(() => undefined);
      answered.abort();
    }
  }
}
