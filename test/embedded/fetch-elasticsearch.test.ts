import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { once } from "node:events";
import path from "node:path";
import { expect } from "chai";
import { elasticsearchHome } from "../../embedded/elasticsearch-home.mjs";
import { root } from "../../embedded/project.mjs";
import { addJava, addScript, openDirectory } from "./scratch.ts";

describe("npm run fetch:elasticsearch", () => {
  let directory: string;
  let env: NodeJS.ProcessEnv;
  let cache: string;

  beforeEach(() => {
    directory = openDirectory();
    cache = path.join(directory, "cache");
    addJava(path.join(directory, "java"), "21");
    env = {
      SLUICE_CACHE: cache,
      JAVA_HOME: path.join(directory, "java"),
      PATH: `${directory}/bin:/usr/bin:/bin`,
    };
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  async function run(...args: string[]): Promise<{ code: number | null; output: string; lines: number }> {
    const child = spawn(process.execPath, ["embedded/fetch-elasticsearch.mjs", ...args], { cwd: root, env });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += String(data)));
    const [code] = (await once(child, "close")) as [number | null];
    return { code, output, lines: output.trimEnd().split("\n").length };
  }

  /** A Maven that makes what the real one would, or does something else instead. */
  function addMaven(instead = "") {
    const calls = path.join(directory, "calls");
    const unpack = 'mkdir -p "$folder/sonarqube-1/elasticsearch/lib" "$folder/repository/org"';
    const find = 'for arg; do case "$arg" in -DoutputDirectory=*) folder="${arg#*=}";; esac; done';
    addScript(directory, "bin/mvn", `echo called >> ${calls}\n${find}\n${unpack}\n${instead}`);
    return () => readFileSync(calls, "utf8").trimEnd().split("\n").length;
  }

  it("says what is missing and what to do about it, and fails", async () => {
    env["PATH"] = "/nowhere";
    const { code, output } = await run();
    expect(code).to.equal(1);
    expect(output).to.include("this machine lacks Maven (mvn)").and.include("apt-get install maven");
    expect(output).to.include("JAVA_HOME").and.include("ELASTICSEARCH_URL").and.not.include("    at ");
    expect(existsSync(cache)).to.equal(false);
  });

  it("says so in one line and does not fail where it is asked for only if possible", async () => {
    env["PATH"] = "/nowhere";
    const { code, output, lines } = await run("--if-possible");
    expect({ code, lines }).to.deep.equal({ code: 0, lines: 1 });
    expect(output).to.include("not fetched").and.include("lacks Maven (mvn)");
  });

  it("hands on Maven's words and leaves nothing where Maven cannot fetch it", async () => {
    addMaven('echo "[ERROR] Unknown host"; exit 1');
    const { code, output } = await run();
    expect(code).to.equal(1);
    expect(output).to.include("[ERROR] Unknown host");
    expect(readdirSync(cache)).to.be.empty;
    expect((await run("--if-possible")).code).to.equal(0);
  });

  it("fetches once when two of them run, and no more when it is there", async () => {
    const calls = addMaven();
    const both = await Promise.all([run(), run()]);
    expect(both.map(({ code }) => code)).to.deep.equal([0, 0]);
    const { code, output, lines } = await run();
    expect({ code, lines }).to.deep.equal({ code: 0, lines: 1 });
    expect(output).to.include(elasticsearchHome(env));
    expect(calls()).to.equal(1);
    expect(readdirSync(cache)).to.deep.equal([path.basename(elasticsearchHome(env))]);
  });

  it("removes what one that was killed has left half unpacked", async () => {
    addMaven("kill -KILL $PPID");
    expect((await run()).code).to.equal(null);
    expect(readdirSync(cache)).to.have.length(2);
    addMaven();
    expect((await run()).code).to.equal(0);
    expect(readdirSync(cache)).to.deep.equal([path.basename(elasticsearchHome(env))]);
  });
});
