// npm run bench <name> [-- options]: a benchmark, with engines and data of its own. "all" runs one after another.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { thisMachine } from "./binaries.mjs";
import { findElasticsearch } from "./elasticsearch-home.mjs";
import { ensureModules } from "./modules.mjs";
import { requireNode, root } from "./project.mjs";
import { reportFailure, say } from "./refusal.mjs";
import { removeDeadRuns, removeRun, runDirectory } from "./runs.mjs";
import { runSession } from "./session.mjs";
import { provideWrk } from "./wrk.mjs";

const prefix = "bench-";
const main = ["--import", "tsx", "bench/main.ts"];
const compiler = "node_modules/typescript/bin/tsc";

/** What is measured is what ships: compiled JavaScript, of Sluice and of its peers alike. */
const builds = [
  [compiler, "--project", "tsconfig.build.json"],
  ["embedded/copy-files.mjs"],
  [compiler, "--project", "bench/peers"],
];

/** The only benchmark that wants an Elasticsearch; beside the others it would take their time. */
const searchBenchmark = "search";

/** @param {string[]} args */
async function bench(args) {
  requireNode();
  await ensureModules();
  const [name, ...options] = args;
  const names = benchmarks();
  if (name === "all") return runAll(names, options);
  const isBenchmark = name !== undefined && names.includes(name) && !options.includes("--help");
  return isBenchmark ? runBenchmark(args) : runPlainly(args);
}

/** @param {string[]} names @param {string[]} options */
async function runAll(names, options) {
  let worst = 0;
  for (const name of names) {
    if (name === searchBenchmark && lackOfElasticsearch()) continue;
    say(`benchmark ${name}`);
    const code = await runBenchmark([name, ...options]);
    // By a signal all are ended; one that fails keeps nobody from measuring the others.
    if (code > 128) return code;
    if (code !== 0) say(`benchmark ${name} failed`);
    worst = Math.max(worst, code);
  }
  return worst;
}

/** Whether there is nothing to search with, having said so. */
function lackOfElasticsearch() {
  if (process.env["ELASTICSEARCH_URL"]) return false;
  const found = findElasticsearch(process.env);
  if (!("lack" in found)) return false;
  say(`no benchmark of search: ${found.lack} (npm run fetch:elasticsearch)`);
  return true;
}

/** The list, a page of help, the report: nothing that needs an engine. @param {string[]} args */
function runPlainly(args) {
  return spawnSync(process.execPath, [...main, ...args], { cwd: root, stdio: "inherit" }).status ?? 1;
}

/** @returns {string[]} */
function benchmarks() {
  const { stdout } = spawnSync(process.execPath, [...main, "names"], { cwd: root, encoding: "utf8" });
  return stdout.split("\n").filter((name) => name !== "");
}

/** @param {string[]} args */
async function runBenchmark(args) {
  if (args[0] === searchBenchmark && lackOfElasticsearch()) return 1;
  await removeDeadRuns(prefix);
  const directory = runDirectory(prefix);
  const scratch = path.join(directory, "scratch");
  mkdirSync(scratch, { recursive: true, mode: 0o700 });
  const env = {
    ...process.env,
    ...(args[0] === searchBenchmark ? {} : { SEARCH: "mysql" }),
    SLUICE_BENCH_WRK: provideWrk(thisMachine(process.env), say),
    SLUICE_BENCH_DIRECTORY: scratch,
  };
  const code = await runSession({ directory, env, log: say }, async ({ node }) => {
    for (const build of builds) {
      const built = await node("build", build);
      if (built !== 0) return built;
    }
    return node("bench", [...main, ...args]);
  });
  if (code === 0) removeRun(directory);
  else if (existsSync(directory))
    say(`the data and logs of this run are kept in ${directory} until the next one`);
  return code;
}

try {
  process.exitCode = await bench(process.argv.slice(2));
} catch (error) {
  reportFailure(error);
}
