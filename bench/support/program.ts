import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { freePort } from "../../embedded/ports.mjs";
import { nodeFlags as ownFlags } from "../../embedded/project.mjs";
import { waitFor } from "../../test/support/wait-for.ts";
import { scratchDirectory } from "./scratch.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

let started = 0;

/** Of Node itself, before the script. */
export type NodeFlags = readonly string[];

/** A process that is measured, in production mode; what it prints goes to a file. */
export class Program {
  readonly #child: ChildProcess;
  readonly #log: string;
  #isReady = false;

  private constructor(script: string, args: readonly string[], env: NodeJS.ProcessEnv, nodeFlags: NodeFlags) {
    started += 1;
    this.#log = path.join(scratchDirectory, `${started}-${path.basename(script, ".js")}.log`);
    const output = openSync(this.#log, "a");
    const command = [...ownFlags, ...nodeFlags, path.join(root, script), ...args];
    this.#child = spawn(process.execPath, command, {
      cwd: root,
      env: { PATH: process.env["PATH"], ...env, NODE_ENV: "production" },
      stdio: ["ignore", output, output, "ipc"],
    });
    this.#child.on("message", (message) => {
      if (message === "ready") this.#isReady = true;
    });
  }

  /** Starts a peer's worker, or a part of Sluice, that says when it is ready. */
  static async start(
    script: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
    nodeFlags: NodeFlags = [],
  ): Promise<Program> {
    const program = new Program(script, args, env, nodeFlags);
    await program.#until(() => program.#isReady);
    return program;
  }

  /** Starts what answers HTTP; ready when it answers anything. */
  static async serve(
    script: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
    nodeFlags: NodeFlags = [],
  ): Promise<{ program: Program; url: string }> {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const program = new Program(script, args, { ...env, PORT: String(port) }, nodeFlags);
    await program.#until(async () => (await fetch(`${url}/livez`)).status > 0);
    return { program, url };
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async end(): Promise<void> {
    if (this.#hasEnded()) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await exited;
  }

  async #until(condition: () => boolean | Promise<boolean>): Promise<void> {
    const what = `${path.basename(this.#log)} to be ready`;
    await waitFor(async () => this.#hasEnded() || (await condition()), { what });
    if (this.#hasEnded()) throw new Error(`it ended at once:\n${readFileSync(this.#log, "utf8")}`);
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}

/** Sluice as it ships: compiled. */
export const sluice = "dist/src/main.js";

/** A peer, compiled as well. */
export function peer(name: string): string {
  return `.sluice/bench/peers/${name}.js`;
}
