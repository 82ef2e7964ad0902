import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { once } from "node:events";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { readJson } from "../../embedded/files.mjs";
import { endLeftovers } from "../../embedded/guarded.mjs";
import { answers } from "../../embedded/ports.mjs";
import { isRunning, parentOf, type ProcessId } from "../../embedded/processes.mjs";
import { readRunningState } from "../../embedded/state.mjs";
import { waitFor } from "../support/wait-for.ts";
import { scratchDirectory } from "./scratch.ts";

const program = fileURLToPath(new URL("session-program.mjs", import.meta.url));
const serve =
  'setInterval(() => {}, 1000); process.on("SIGTERM", () => { console.log("app stops"); process.exit(7); });' +
  'console.log("app runs");';

interface Launcher {
  readonly process: ChildProcess;
  readonly exited: Promise<unknown>;
  /** Once all it has printed is there, which its orphans can put off. */
  readonly exitCode: Promise<number | null>;
  output(): string;
}

describe("a session around the application", () => {
  let directory: string;
  const launchers: Launcher[] = [];

  beforeEach(() => {
    directory = scratchDirectory();
  });

  afterEach(async () => {
    for (const launcher of launchers.splice(0)) {
      launcher.process.kill("SIGTERM");
      await launcher.exited;
    }
    await endLeftovers(directory, () => undefined);
  });

  function launch(script: string): Launcher {
    // One engine is enough here; whoever gives an address gets none started.
    const given = { REDIS_URL: "", DATABASE_HOST: "127.0.0.1", SEARCH: "mysql" };
    const env = { ...process.env, ...given, npm_lifecycle_event: undefined };
    const child = spawn(process.execPath, [program, directory, script], { env, stdio: "pipe" });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += String(data)));
    const launcher = {
      process: child,
      exited: once(child, "exit"),
      exitCode: once(child, "close").then(([code]) => code as number | null),
      output: () => output,
    };
    launchers.push(launcher);
    return launcher;
  }

  function processOf(name: string): ProcessId | undefined {
    return readJson(path.join(directory, `${name}.pid`)) as ProcessId | undefined;
  }

  function running(...names: string[]): ProcessId[] {
    return names.map(processOf).filter((id) => id !== undefined && isRunning(id)) as ProcessId[];
  }

  async function launchAndWait(script: string): Promise<Launcher> {
    const launcher = launch(script);
    await waitFor(() => launcher.output().includes("app runs"), { what: "the application to run" });
    return launcher;
  }

  function redisAnswers(): Promise<boolean> {
    const { port, password } = new URL(
      readRunningState(directory)?.addresses["REDIS_URL"] ?? "redis://:@127.0.0.1:1",
    );
    return answers(Number(port), `AUTH ${password}\r\nPING\r\n`, (text) => text.includes("+PONG"));
  }

  it("ends with the application's exit code and leaves no process and no state behind", async () => {
    const launcher = launch("process.exit(5)");
    expect(await launcher.exitCode).to.equal(5);
    expect(running("app", "redis")).to.be.empty;
    expect(existsSync(path.join(directory, "engines.json"))).to.equal(false);
    expect(existsSync(path.join(directory, "lock"))).to.equal(false);
  });

  it("keeps the engines' addresses where only their owner can read them", async () => {
    await launchAndWait(serve);
    expect(statSync(path.join(directory, "engines.json")).mode & 0o777).to.equal(0o600);
    expect(statSync(path.join(directory, "redis.conf")).mode & 0o777).to.equal(0o600);
    expect(await redisAnswers()).to.equal(true);
  });

  it("refuses a second one in the same folder, naming the first, which goes on", async () => {
    const first = await launchAndWait(serve);
    const second = launch(serve);
    expect(await second.exitCode).to.equal(1);
    expect(second.output())
      .to.include(`process ${String(first.process.pid)}`)
      .and.include("http://127.0.0.1:1234");
    expect(await redisAnswers()).to.equal(true);
    expect(running("app", "redis")).to.have.length(2);
  });

  it("stops the application before its engines when it is asked to end", async () => {
    const checksRedis = `
      setInterval(() => {}, 1000);
      const { connect } = require("node:net");
      process.on("SIGTERM", () => connect(new URL(process.env.REDIS_URL).port).on("connect", () => {
        console.log("Redis is there");
        process.exit(0);
      }));
      console.log("app runs");`;
    const launcher = await launchAndWait(checksRedis);
    launcher.process.kill("SIGTERM");
    expect(await launcher.exitCode).to.equal(0);
    expect(launcher.output()).to.include("Redis is there");
    expect(running("app", "redis")).to.be.empty;
  });

  it("starts a killed engine again, at the same address", async () => {
    const launcher = await launchAndWait(serve);
    const [, redis] = running("app", "redis");
    process.kill(redis?.pid ?? 0, "SIGKILL");
    await waitFor(() => processOf("redis")?.pid !== redis?.pid && redisAnswers(), {
      what: "Redis to be back",
    });
    await waitFor(() => launcher.output().includes("redis has died (SIGKILL), starting it again on port"), {
      what: "the launcher to say so",
    });
  });

  it("gives up, and stops the application, when an engine keeps dying", async () => {
    const launcher = await launchAndWait(serve);
    let last = 0;
    for (let death = 1; death <= 5; death++) {
      const redis = await waitFor(() => running("redis").find(({ pid }) => pid !== last), {
        what: "a new Redis",
      });
      last = redis.pid;
      process.kill(last, "SIGKILL");
    }
    expect(await launcher.exitCode).to.equal(1);
    expect(launcher.output()).to.include("redis died 5 times within a minute").and.include("app stops");
  });

  it("takes its programs along when it is killed alone", async () => {
    const launcher = await launchAndWait(serve);
    const programs = running("app", "redis");
    launcher.process.kill("SIGKILL");
    await launcher.exited;
    await waitFor(() => !programs.some(isRunning), { what: "the programs to end" });
  });

  it("ends what an earlier one left behind that was killed with all its guards", async () => {
    const killed = await launchAndWait(serve);
    const orphans = running("app", "redis");
    const guards = orphans.map(({ pid }) => parentOf(pid));
    for (const guard of guards) process.kill(guard ?? 0, "SIGKILL");
    killed.process.kill("SIGKILL");
    await killed.exited;
    expect(orphans.every(isRunning)).to.equal(true);

    const next = launch("process.exit(0)");
    expect(await next.exitCode).to.equal(0);
    expect(orphans.some(isRunning)).to.equal(false);
    expect(next.output()).to.include("left over from an earlier run");
  });
});
