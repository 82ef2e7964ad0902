import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { once } from "node:events";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@elastic/elasticsearch";
import { expect } from "chai";
import { elasticsearchHome } from "../../embedded/elasticsearch-home.mjs";
import { openPlace, removePlace } from "../../embedded/elasticsearch-place.mjs";
import { readJson } from "../../embedded/files.mjs";
import { findProcess, isRunning, type ProcessId } from "../../embedded/processes.mjs";
import { readRunningState } from "../../embedded/state.mjs";
import { childrenOf } from "../support/children.ts";
import {
  askElasticsearch,
  describeWithElasticsearch,
  describeWithPrivateElasticsearch,
  elasticsearchUrl,
  startTimeoutMs,
} from "../support/elasticsearch.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { waitFor } from "../support/wait-for.ts";
import { addJava, openDirectory, scratchDirectory } from "./scratch.ts";

const program = fileURLToPath(new URL("session-program.mjs", import.meta.url));
const serve = 'setInterval(() => {}, 1000); console.log("app runs");';

interface Launcher {
  readonly process: ChildProcess;
  readonly exitCode: Promise<number | null>;
  output(): string;
}

/** A session that has an Elasticsearch to start and nothing else. */
async function launchSession(directory: string, settings: NodeJS.ProcessEnv = {}): Promise<Launcher> {
  const given = {
    REDIS_URL: "redis://127.0.0.1:1",
    DATABASE_HOST: "127.0.0.1",
    npm_lifecycle_event: undefined,
  };
  const env = { ...process.env, ...given, ELASTICSEARCH_URL: "", SEARCH: "", ...settings };
  const child = spawn(process.execPath, [program, directory, serve], { env, stdio: "pipe" });
  const exitCode = once(child, "close").then(([code]) => code as number | null);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += String(data)));
  await waitFor(() => output.includes("app runs"), { what: "the application to run", timeoutMs: 60_000 });
  return { process: child, exitCode, output: () => output };
}

/** The launcher that the session has started, and its server once that is there. */
function elasticsearchIn(directory: string): ProcessId[] {
  const launcher = readJson(path.join(directory, "elasticsearch.pid")) as ProcessId | undefined;
  const pids = launcher ? [launcher.pid, ...childrenOf(launcher.pid)] : [];
  return pids.map((pid) => findProcess(pid)).filter((id) => id !== undefined);
}

async function health(url: string | undefined): Promise<number> {
  return (await askElasticsearch("/_cluster/health?wait_for_status=yellow&timeout=1s", { url })).status;
}

describeWithPrivateElasticsearch("a session's Elasticsearch", () => {
  let directory: string;
  const launchers: Launcher[] = [];

  beforeEach(() => {
    directory = scratchDirectory();
  });

  afterEach(async () => {
    for (const launcher of launchers.splice(0)) {
      launcher.process.kill("SIGTERM");
      await launcher.exitCode;
    }
    removePlace(directory, process.env);
  });

  async function launch(): Promise<Launcher> {
    const launcher = await launchSession(directory);
    launchers.push(launcher);
    return launcher;
  }

  it("is not waited for, answers at the address it was given, and is gone with the session", async () => {
    const launcher = await launch();
    const url = readRunningState(directory)?.addresses["ELASTICSEARCH_URL"];
    const answered = () => health(url).then((status) => status === 200);
    await waitFor(answered, { what: "Elasticsearch", timeoutMs: startTimeoutMs });
    const processes = elasticsearchIn(directory);
    expect(processes).to.have.length(2);

    launcher.process.kill("SIGTERM");
    expect(await launcher.exitCode).to.equal(143);
    expect(processes.some(isRunning)).to.equal(false);
    expect(launcher.output()).to.equal("app runs\n");
    for (const file of ["elasticsearch.pid", "engines.json", "lock"])
      expect(existsSync(path.join(directory, file)), file).to.equal(false);
  });

  it("goes with a launcher that is killed alone, also when it was only starting", async () => {
    const launcher = await launch();
    const processes = await waitFor(
      () => {
        const found = elasticsearchIn(directory);
        return found.length === 2 && found;
      },
      { what: "the server to be started", timeoutMs: startTimeoutMs },
    );
    launcher.process.kill("SIGKILL");
    await launcher.exitCode;
    await waitFor(() => !processes.some(isRunning), { what: "Elasticsearch to end", timeoutMs: 60_000 });
  });
});

describe("an Elasticsearch that cannot be started", function () {
  this.timeout(120_000);

  it("is reported with the end of its log, and the session goes on", async () => {
    const cache = openDirectory();
    const env = { SLUICE_CACHE: cache, JAVA_HOME: path.join(cache, "java") };
    mkdirSync(elasticsearchHome(env));
    addJava(env.JAVA_HOME, "21", 'echo "no such class"; exit 3');
    const launcher = await launchSession(scratchDirectory(), env);
    await waitFor(() => launcher.output().includes("Going on without it."), {
      what: "the report",
      timeoutMs: 60_000,
    });
    expect(launcher.output())
      .to.include("elasticsearch died before it was ready")
      .and.include("no such class");
    expect(launcher.process.exitCode).to.equal(null);
    launcher.process.kill("SIGTERM");
    await launcher.exitCode;
    rmSync(cache, { recursive: true });
  });

  it("is named, with the command that fetches one, where none was fetched", async () => {
    const launcher = await launchSession(scratchDirectory(), { SLUICE_CACHE: scratchDirectory() });
    expect(launcher.output()).to.include("has not been fetched (npm run fetch:elasticsearch)");
    launcher.process.kill("SIGTERM");
    await launcher.exitCode;
  });

  it("is not missed where MySQL is to answer searches", async () => {
    const settings = { SLUICE_CACHE: scratchDirectory(), SEARCH: "mysql" };
    const launcher = await launchSession(scratchDirectory(), settings);
    expect(launcher.output()).to.equal("app runs\n");
    launcher.process.kill("SIGTERM");
    await launcher.exitCode;
  });
});

describe("the place of a session's Elasticsearch", () => {
  it("is removed with the session, or by the next one that has one", () => {
    const env = { SLUICE_CACHE: openDirectory() };
    const [removed, forgotten, next] = [scratchDirectory(), scratchDirectory(), scratchDirectory()] as const;
    const places = [openPlace(removed, env), openPlace(forgotten, env)];
    removePlace(removed, env);
    rmSync(forgotten, { recursive: true });
    const kept = openPlace(next, env);
    expect(openPlace(next, env)).to.equal(kept);
    expect(places.some(existsSync)).to.equal(false);
    expect(existsSync(kept)).to.equal(true);
    rmSync(env.SLUICE_CACHE, { recursive: true });
  });
});

describeWithPrivateElasticsearch("an Elasticsearch of a test", () => {
  let engine: PrivateEngine;

  before(async () => {
    engine = await PrivateEngine.start("elasticsearch");
  });

  after(async () => {
    await engine.close();
  });

  it("lets nobody in without the password", async () => {
    const { status } = await fetch(`http://127.0.0.1:${engine.port}/`);
    expect(status).to.equal(401);
  });

  it("has its data when it is started again after it was killed", async () => {
    const url = engine.env["ELASTICSEARCH_URL"];
    const put = await askElasticsearch("/kept/_doc/1", { url, method: "PUT", body: '{"body":"😀"}' });
    expect(put.status).to.equal(201);
    const server = findProcess(engine.pid);
    await engine.stop("SIGKILL");
    expect(server && isRunning(server)).to.equal(false);

    await engine.start();
    const got = await askElasticsearch("/kept/_doc/1", { url });
    expect(await got.json()).to.have.nested.property("_source.body", "😀");
  });
});

describeWithElasticsearch("the Elasticsearch of the run", () => {
  it("answers the client library, which needs no more than its address", async () => {
    const client = new Client({ node: elasticsearchUrl() });
    expect((await client.info()).tagline).to.equal("You Know, for Search");
    await client.close();
  });
});
