import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";

import { expect } from "chai";

import { isAlive, startedBy } from "../support/process-table.ts";
import { Client } from "../support/client.ts";
import { metricIn } from "../support/running-sluice.ts";
import { SluiceProcess } from "../support/sluice-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const served = 'sluice_http_requests_total{route="/livez",method="GET",status="200"}';

describe("An API of several processes", () => {
  let workspace: Workspace;
  const started: SluiceProcess[] = [];
  const clients: Client[] = [];

  before(function () {
    // The processes are looked for in /proc.
    if (process.platform !== "linux") this.skip();
  });

  beforeEach(async () => {
    workspace = await openWorkspace();
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await Promise.all(started.splice(0).map((one) => one.end("SIGTERM")));
    await workspace.close();
  });

  async function startWorkers(command = "api"): Promise<{ api: SluiceProcess; url: string }> {
    const api = new SluiceProcess([command], { ...workspace.env, WEB_CONCURRENCY: "2" });
    started.push(api);
    await api.logged("all workers listen");
    return { api, url: String((await api.logged("listening"))["address"]) };
  }

  function clientOf(url: string, patienceMs = 0): Client {
    const client = new Client(url, patienceMs);
    clients.push(client);
    return client;
  }

  const workersOf = (api: SluiceProcess) => startedBy(api.child.pid).map(({ pid }) => pid);

  /** Requests over a connection each, as round robin deals out connections. */
  async function callOften(url: string, times: number): Promise<void> {
    for (let call = 0; call < times; call++) {
      const client = new Client(url);
      expect((await client.get("/livez")).status).to.equal(200);
      client.close();
    }
  }

  /** How often a worker has begun to listen. */
  const listening = (api: SluiceProcess) => api.log.filter(({ msg }) => msg === "listening").length;

  const servedBy = (api: SluiceProcess) =>
    new Set(api.log.filter(({ msg }) => msg === "request").map((line) => line["worker"]));

  it("serves from each of them on one port, and shows each to operators", async () => {
    const { api, url } = await startWorkers();
    for (let call = 0; call < 4; call++) {
      const client = clientOf(url);
      expect((await client.post("/applications", { name: "workers" })).status).to.equal(201);
    }
    await waitFor(() => servedBy(api).size === 2, { what: "requests in the log of both workers" });
    const pids = workersOf(api);
    expect(pids).to.have.lengthOf(2);
    const shown = await waitFor(
      async () => {
        const answer = await fetch(`${url}/ops/status`);
        const { processes } = (await answer.json()) as { processes: { role: string; pid: number }[] };
        return processes.length === 2 && processes;
      },
      { what: "both processes in the status" },
    );
    expect(shown.map(({ pid }) => pid).sort()).to.deep.equal(pids.sort());
    for (const { role } of shown) expect(role).to.equal("api");
  });

  it("adds up in its metrics what each of them counted, also one that died since", async () => {
    const { api, url } = await startWorkers();
    await callOften(url, 10);
    const counted = async () => metricIn((await clientOf(url).get<string>("/metrics")).body, served);
    await waitFor(async () => (await counted()) === 10, { what: "all ten requests in the metrics" });
    for (const [at, pid] of workersOf(api).entries()) {
      process.kill(pid, "SIGKILL");
      await waitFor(() => listening(api) === 3 + at, { what: "another worker" });
      await waitFor(async () => (await counted()) === 10, { what: "the ten to be counted still" });
    }
    const { body } = await clientOf(url).get<string>("/metrics");
    expect(body.match(/^sluice_redis_up /gm)).to.have.lengthOf(1);
    expect(metricIn(body, "sluice_redis_up")).to.equal(1);
  });

  it("goes on when one of them is killed under load, and every 201 is kept", async () => {
    const { api, url } = await startWorkers();
    const first = clientOf(url);
    const { token } = (await first.post<{ token: string }>("/applications", { name: "load" })).body;
    expect((await first.post(`/applications/${token}/chats`)).status).to.equal(201);
    const messages = `/applications/${token}/chats/1/messages`;
    const numbers: number[] = [];
    let isOver = false;
    const load = Promise.all(
      Array.from({ length: 8 }, async () => {
        // One that is being handed to a worker in the moment of its end may be answered by nobody.
        const client = clientOf(url, 5000);
        while (!isOver) {
          const answer = await client
            .post<{ number: number }>(messages, { body: "hello" })
            // The connection was to the one that was killed.
            .catch(() => undefined);
          if (answer?.status === 201) numbers.push(answer.body.number);
        }
      }),
    );
    await waitFor(() => numbers.length > 100, { what: "some load" });
    const [victim = 0] = workersOf(api);
    process.kill(victim, "SIGKILL");
    const before = numbers.length;
    await waitFor(() => numbers.length > before + 100, { what: "the others to go on" });
    await waitFor(() => listening(api) === 3, { what: "the worker to come back" });
    isOver = true;
    await load;
    expect(new Set(numbers).size).to.equal(numbers.length);
    for (const number of [numbers[0], numbers[before - 1], Math.max(...numbers)]) {
      expect((await first.get(`${messages}/${number}`)).status).to.equal(200);
    }
    const stored = await workspace.redis.hkeys(`${workspace.config.redis.namespace}:{0}:pending:${token}:1`);
    expect(stored.map(Number)).to.include.members(numbers);
    const died = api.log.filter(({ msg }) => msg === "a process died; starting it again");
    expect(died.map(({ signal }) => signal)).to.deep.equal(["SIGKILL"]);
  });

  it("answers what it took when it is told to stop, by however many signals, and leaves nobody", async () => {
    const { api, url } = await startWorkers();
    const pids = workersOf(api);
    let [answered, isOver] = [0, false];
    const load = Promise.all(
      Array.from({ length: 8 }, async () => {
        // One that is being handed to a worker in the moment of its end may be answered by nobody.
        const client = clientOf(url, 5000);
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
    // As a service manager does, which tells each of them; the primary then tells them again.
    for (const pid of pids) process.kill(pid, "SIGTERM");
    const code = await api.end("SIGTERM");
    isOver = true;
    await load;
    expect(code).to.equal(0);
    expect(pids.filter(isAlive)).to.deep.equal([]);
    expect(api.log.filter(({ msg }) => msg === "stopped")).to.have.lengthOf(3);
    expect(api.log.filter(({ level }) => !["info", "debug"].includes(level))).to.deep.equal([]);
  });

  it("leaves no worker behind when its primary is killed", async () => {
    const { api } = await startWorkers();
    const pids = workersOf(api);
    await api.end("SIGKILL");
    await waitFor(() => pids.every((pid) => !isAlive(pid)), { what: "the workers to be gone" });
  });

  it("ends with an exit code where a worker cannot start, as with a port in use", async () => {
    const squatter = createServer().listen(0, "127.0.0.1");
    await once(squatter, "listening");
    const { port } = squatter.address() as AddressInfo;
    for (const command of ["api", "all"]) {
      const api = new SluiceProcess([command], {
        ...workspace.env,
        WEB_CONCURRENCY: "2",
        PORT: String(port),
      });
      started.push(api);
      await api.closed;
      expect(api.child.exitCode, command).to.be.a("number").that.is.greaterThan(0);
      expect(api.noise.join("\n")).to.include(`${port} is in use`);
    }
    squatter.close();
  });

  it("runs under `all`, and stops with it", async () => {
    const { api: all, url } = await startWorkers("all");
    await all.logged("flusher started");
    await callOften(url, 2);
    expect(await all.end("SIGTERM")).to.equal(0);
    expect(all.log.filter(({ msg }) => msg === "stopped")).to.have.lengthOf(5);
  });
});
