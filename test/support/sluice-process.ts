import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { waitFor } from "./wait-for.ts";
import { watchArguments, watchEnvironment } from "./watched-statements.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const nextVersion = fileURLToPath(new URL("next-version.mjs", import.meta.url));

/** Of Sluice: the sources as they are, or with the form of a pending record that a later one might write. */
export type Version = "this" | "next";

/** A line of a process' log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A real process of Sluice, as an operator would start it. */
export class SluiceProcess {
  readonly child: ChildProcess;
  readonly log: LogLine[] = [];
  /** What it printed that is no line of the log. */
  readonly noise: string[] = [];
  /** Resolves when it has ended, and all that it and the processes it started have printed was read. */
  readonly closed: Promise<void>;
  #isClosed = false;

  constructor(command: readonly string[], env: NodeJS.ProcessEnv, version: Version = "this") {
    const nodeArguments = [...watchArguments, ...(version === "next" ? ["--import", nextVersion] : [])];
    this.child = spawn(process.execPath, [...nodeArguments, main, ...command], {
      env: { PATH: process.env["PATH"], ...watchEnvironment(), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream)
        createInterface(stream).on("line", (line) => {
          this.#take(line);
        });
    }
    this.closed = once(this.child, "close").then(() => {
      this.#isClosed = true;
    });
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The first line of its log with this message. @throws when it ends without one */
  async logged(message: string): Promise<LogLine> {
    const found = () => this.log.find(({ msg }) => msg === message);
    await waitFor(() => found() ?? this.#isClosed, { what: `"${message}" in the log` });
    const line = found();
    if (!line) throw new Error(`ended before it logged "${message}":\n${this.noise.join("\n")}`);
    return line;
  }

  /**
   * Sends a signal and waits until the process is gone; answers its exit code. Its log is complete then, but
   * for a killed one, whose children may go on for a while.
   */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.isRunning) {
      const exited = once(this.child, "exit");
      this.child.kill(signal);
      await exited;
    }
    if (signal !== "SIGKILL") await this.closed;
    return this.child.exitCode;
  }

  #take(line: string): void {
    try {
      this.log.push(JSON.parse(line) as LogLine);
    } catch {
      this.noise.push(line);
    }
  }
}

/** Starts the API on a free port; resolves when it listens. */
export async function startApi(
  env: NodeJS.ProcessEnv,
  version?: Version,
): Promise<{ process: SluiceProcess; url: string }> {
  const api = new SluiceProcess(["api"], env, version);
  const { address } = await api.logged("listening");
  return { process: api, url: String(address) };
}

/** Starts a flusher; resolves when it listens for wake-ups. */
export async function startFlusher(env: NodeJS.ProcessEnv, version?: Version): Promise<SluiceProcess> {
  const flusher = new SluiceProcess(["flusher"], env, version);
  await flusher.logged("flusher started");
  return flusher;
}
