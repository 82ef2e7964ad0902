import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

import { expect } from "chai";

import { Client } from "../support/client.ts";
import { isAlive, partsOf } from "../support/process-table.ts";
import { SluiceProcess, startApi, startFlusher } from "../support/sluice-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

/** Kills what a failed test may have left; those were all started here. */
function reap(pids: Iterable<number>): void {
  for (const pid of pids) if (isAlive(pid)) process.kill(pid, "SIGKILL");
}

const stackLine = /^\s+at /;

describe("The processes of Sluice", () => {
  let workspace: Workspace;
  const started: SluiceProcess[] = [];
  const seen = new Set<number>();

  before(function () {
    // The processes are looked for in /proc.
    if (process.platform !== "linux") this.skip();
  });

  beforeEach(async () => {
    workspace = await openWorkspace();
  });

  afterEach(async () => {
    await Promise.all(started.splice(0).map((one) => one.end("SIGKILL")));
    reap(seen);
    seen.clear();
    await workspace.close();
  });

  function start(command: string[], env: NodeJS.ProcessEnv = {}): SluiceProcess {
    const process = new SluiceProcess(command, { ...workspace.env, ...env });
    started.push(process);
    return process;
  }

  async function startAll(env: NodeJS.ProcessEnv = {}): Promise<{ all: SluiceProcess; url: string }> {
    const all = start(["all"], env);
    const { address } = await all.logged("listening");
    await all.logged("flusher started");
    for (const pid of partsOf(all.child.pid).values()) seen.add(pid);
    return { all, url: String(address) };
  }

  /** Runs a command to its end. */
  async function run(command: string[], env: NodeJS.ProcessEnv = {}) {
    const { child } = start(command, env);
    const chunks: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => chunks.push(chunk.toString("utf8")));
    }
    await once(child, "close");
    const text = chunks.join("").trim();
    return { code: child.exitCode, lines: text.split("\n"), text };
  }

  const untilGone = (pids: readonly number[]) =>
    waitFor(() => pids.every((pid) => !isAlive(pid)), { what: "every process to be gone" });

  /** A chat with one message, in an application of its own. */
  async function converse(url: string): Promise<void> {
    const client = new Client(url);
    const created = await client.post<{ token: string }>("/applications", { name: "processes" });
    const chats = `/applications/${created.body.token}/chats`;
    expect((await client.post(chats)).status).to.equal(201);
    expect((await client.post(`${chats}/1/messages`, { body: "hello" })).status).to.equal(201);
    client.close();
  }

  describe("under `all`", () => {
    it("are an API and a flusher, which stop with it and without an error on SIGTERM and SIGINT", async () => {
      for (const signal of ["SIGTERM", "SIGINT"] as const) {
        const { all, url } = await startAll();
        const parts = partsOf(all.child.pid);
        expect([...parts.keys()].sort()).to.deep.equal(["api", "flusher"]);
        await converse(url);
        expect(await all.end(signal)).to.equal(0);
        await untilGone([...parts.values()]);
        const bad = all.log.filter(({ level }) => !["info", "debug"].includes(level));
        expect(bad).to.deep.equal([]);
        expect(all.log.filter(({ msg }) => msg === "stopped")).to.have.lengthOf(3);
        expect(all.noise).to.deep.equal([]);
      }
    });

    it("end by themselves when it is killed", async () => {
      const { all } = await startAll();
      const pids = [...partsOf(all.child.pid).values()];
      await all.end("SIGKILL");
      await untilGone(pids);
    });

    it("end by themselves when it is killed before they were ready", async () => {
      const all = start(["all"]);
      const parts = await waitFor(
        () => {
          const found = partsOf(all.child.pid);
          for (const pid of found.values()) seen.add(pid);
          return found.size === 2 && found;
        },
        { what: "both processes" },
      );
      await all.end("SIGKILL");
      await untilGone([...parts.values()]);
    });

    it("are started again when they are killed, and go on", async () => {
      const { all, url } = await startAll({ FLUSH_CRON: "* * * * * *" });
      // Younger than a process that counts as started, and killed all the same: no failure to start.
      for (const role of ["flusher", "api"]) {
        const pid = partsOf(all.child.pid).get(role) ?? 0;
        process.kill(pid, "SIGKILL");
        await waitFor(
          () => {
            const next = partsOf(all.child.pid).get(role);
            if (next !== undefined) seen.add(next);
            return next !== undefined && next !== pid;
          },
          { what: `another ${role}` },
        );
      }
      const listening = () => all.log.filter(({ msg }) => msg === "listening");
      await waitFor(() => listening().length === 2, { what: "the API to listen again" });
      const again = String(listening()[1]?.["address"]);
      expect(again).to.not.equal(url);
      await converse(again);
      expect(await all.end("SIGTERM")).to.equal(0);
      const died = all.log.filter(({ msg }) => msg === "a process died; starting it again");
      expect(died.map((line) => line["process"])).to.deep.equal(["flusher", "api"]);
    });
  });

  describe("told to stop", () => {
    it("leave at once under load, every request they took being answered", async () => {
      const { process: api, url } = await startApi(workspace.env);
      started.push(api);
      const client = new Client(url);
      let [answered, isOver] = [0, false];
      const load = Promise.all(
        Array.from({ length: 8 }, async () => {
          while (!isOver) {
            const answer = await client.get("/livez").catch((error: unknown) => error as { code?: string });
            if ("status" in answer) {
              expect(answer.status).to.equal(200);
              answered += 1;
            } else isOver ||= ["ECONNREFUSED", "ECONNRESET"].includes(answer.code ?? "");
          }
        }),
      );
      await waitFor(() => answered > 100, { what: "some load" });
      const askedAtMs = performance.now();
      const code = await api.end("SIGTERM");
      isOver = true;
      await load;
      client.close();
      expect(code).to.equal(0);
      // The deadline for a stop is 20 seconds.
      expect(performance.now() - askedAtMs).to.be.below(15_000);
    });

    it("leave without an error while Redis is away, and was from the start", async () => {
      const env = { ...workspace.env, REDIS_URL: "redis://127.0.0.1:1" };
      const flusher = new SluiceProcess(["flusher"], env);
      started.push(flusher);
      await flusher.logged("the lease cannot be taken");
      expect(await flusher.end("SIGTERM")).to.equal(0);
      expect(flusher.noise).to.deep.equal([]);
      const { process: api } = await startApi(env);
      started.push(api);
      expect(await api.end("SIGTERM")).to.equal(0);
    });
  });

  describe("that cannot start", () => {
    it("say which port is in use, and nothing of the program's insides", async () => {
      const squatter = createServer().listen(0, "127.0.0.1");
      await once(squatter, "listening");
      const { port } = squatter.address() as AddressInfo;
      for (const command of ["api", "all"]) {
        const { code, lines, text } = await run([command], { PORT: String(port) });
        expect(code, command).to.be.a("number").that.is.greaterThan(0);
        expect(text).to.include(String(port)).and.include("in use");
        expect(lines.filter((line) => stackLine.test(line))).to.deep.equal([]);
      }
      squatter.close();
    });

    it("are not started again, be the machine so slow that they fail late", async () => {
      const squatter = createServer().listen(0, "127.0.0.1");
      await once(squatter, "listening");
      const { port } = squatter.address() as AddressInfo;
      const all = start(["all"], { PORT: String(port) });
      const api = await waitFor(() => (all.isRunning ? partsOf(all.child.pid).get("api") : "gone"), {
        what: "the API's process",
      });
      if (typeof api === "number") {
        seen.add(api);
        process.kill(api, "SIGSTOP");
        const pausedAtMs = performance.now();
        await waitFor(() => performance.now() - pausedAtMs > 6000, { what: "more time than a start takes" });
        process.kill(api, "SIGCONT");
      }
      await all.closed;
      expect(all.child.exitCode).to.be.a("number").that.is.greaterThan(0);
      expect(all.log.map(({ msg }) => msg)).to.not.include("a process died; starting it again");
      squatter.close();
    });

    it("list every fault of the environment, whatever the command", async () => {
      const wrong = { PORT: "abc", LOG_LEVEL: "loud", REDIS_URL: "", FLUSH_MAX_ROWS: "0" };
      await Promise.all(
        ["api", "flusher", "all", "migrate", "flush", "status"].map(async (command) => {
          const { code, lines, text } = await run([command], wrong);
          expect(code, command).to.be.a("number").that.is.greaterThan(0);
          for (const name of Object.keys(wrong)) expect(text, command).to.include(name);
          expect(lines.filter((line) => stackLine.test(line))).to.deep.equal([]);
        }),
      );
    });

    it("name an unknown command", async () => {
      const { code, text } = await run(["no-such-command"]);
      expect(code).to.be.a("number").that.is.greaterThan(0);
      expect(text).to.include("no-such-command");
    });
  });

  describe("from the command line", () => {
    const pendingIn = (text: string) => (JSON.parse(text) as { pending: object }).pending;

    it("show where Sluice stands, and flush when asked", async () => {
      const { process: api, url } = await startApi(workspace.env);
      started.push(api);
      await converse(url);
      const before = await run(["status", "--json"]);
      expect(before.code).to.equal(0);
      expect(pendingIn(before.text)).to.deep.equal({ chats: 1, messages: 1 });
      const shown = await run(["status"]);
      expect(shown.code).to.equal(0);
      expect(shown.text)
        .to.match(/pending +1 messages, 1 chats/)
        .and.include(`0 of ${workspace.config.redis.partitions} drained`);

      const nobody = await run(["flush"]);
      expect(nobody.code).to.be.a("number").that.is.greaterThan(0);
      expect(nobody.text).to.include("No flusher is running");
      expect(nobody.lines.filter((line) => stackLine.test(line))).to.deep.equal([]);

      const flusher = await startFlusher({ ...workspace.env, FLUSH_CRON: "0 0 29 2 *" });
      started.push(flusher);
      await waitFor(async () => /(\d+) of \1 drained/.test((await run(["status"])).text), {
        what: "all partitions to be drained",
      });
      const flushed = await run(["flush"]);
      expect([flushed.code, flushed.text]).to.deep.equal([
        0,
        "Flushed: 2 records that were pending are in MySQL.",
      ]);
      expect(pendingIn((await run(["status", "--json"])).text)).to.deep.equal({ chats: 0, messages: 0 });
      const stored: unknown[] = await workspace.sql("messages").where({ body: "hello" });
      expect(stored).to.have.length.greaterThan(0);
    });

    it("say in a sentence that Redis is away", async () => {
      for (const command of ["status", "flush"]) {
        const { code, lines, text } = await run([command], { REDIS_URL: "redis://127.0.0.1:1" });
        expect(code, command).to.be.a("number").that.is.greaterThan(0);
        expect(text).to.include("Redis");
        expect(lines.filter((line) => stackLine.test(line))).to.deep.equal([]);
      }
    });

    it("migrate once, and say that there is nothing to do the second time", async () => {
      const { code, text } = await run(["migrate"]);
      expect([code, text]).to.deep.equal([0, "The database is up to date."]);
    });
  });
});
