// npm run test:image: the steps of the Dockerfile in a clean folder, without a container; then the program that they
// made, on engines of its own.
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { startEngines } from "./engines.mjs";
import { freePort } from "./ports.mjs";
import { root } from "./project.mjs";
import { Refusal, reportFailure, say } from "./refusal.mjs";
import { waitUntil } from "./wait.mjs";

const folder = mkdtempSync(path.join(tmpdir(), "sluice-image-"));
const build = path.join(folder, "build");
const image = path.join(folder, "image");

/** What the Dockerfile copies and runs, stage by stage. */
function stagesOfDockerfile() {
  const text = readFileSync(path.join(root, "Dockerfile"), "utf8").replaceAll("\\\n", " ");
  return text.split(/^FROM /m).map((stage) => stage.split("\n").map((line) => line.split(" ")));
}

/**
 * @param {string[]} words
 * @param {string} from
 * @param {string} to
 */
function copy(words, from, to) {
  const names = words.filter((word) => !word.startsWith("--")).map((word) => word.replace("/app/", ""));
  const target = names.pop() ?? ".";
  for (const name of names) {
    const place = target.endsWith("/") ? path.join(to, target, name) : path.join(to, target);
    cpSync(path.join(from, name), place, { recursive: true });
  }
}

/**
 * @param {string} command
 * @param {string} cwd
 */
function run(command, cwd) {
  say(command);
  const { status } = spawnSync("sh", ["-c", command], { cwd, stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Refusal(`exit code ${status}: ${command}`);
}

function makeImage() {
  const [, first = [], second = []] = stagesOfDockerfile();
  mkdirSync(build);
  mkdirSync(image);
  for (const [instruction, ...words] of first) {
    if (instruction === "COPY") copy(words, root, build);
    if (instruction === "RUN") run(words.join(" "), build);
  }
  for (const [instruction, ...words] of second) if (instruction === "COPY") copy(words, build, image);
}

/** @param {NodeJS.ProcessEnv} env */
async function serve(env) {
  run("node dist/src/main.js --help", image);
  const command = (/** @type {string} */ name) =>
    spawn(process.execPath, ["dist/src/main.js", name], {
      cwd: image,
      env,
      stdio: ["ignore", "ignore", "inherit"],
    });
  const migrated = await ended(command("migrate"));
  if (migrated !== 0) throw new Refusal(`sluice migrate ended with ${migrated}`);
  for (const workers of ["1", "2"]) {
    env["WEB_CONCURRENCY"] = workers;
    const api = command("api");
    const over = ended(api);
    const ready = await waitUntil(() => isReady(Number(env["PORT"])), { timeoutMs: 60_000 });
    api.kill("SIGTERM");
    const code = await over;
    if (ready !== true || code !== 0) throw new Refusal(`sluice api: ready ${ready}, exit code ${code}`);
    say(`the API came up and ended, in ${workers} process(es)`);
  }
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @returns {Promise<number | null>}
 */
const ended = (child) => new Promise((resolve) => child.once("exit", resolve));

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function isReady(port) {
  return new Promise((resolve) => {
    const request = get({ port, path: "/readyz" }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once("error", () => {
      resolve(false);
    });
  });
}

try {
  makeImage();
  const { signal } = new AbortController();
  const env = { PATH: process.env["PATH"], SEARCH: "mysql", NODE_ENV: "production" };
  const engines = await startEngines({
    directory: path.join(folder, "engines"),
    env,
    log: say,
    signal,
    onFailure: reportFailure,
  });
  try {
    await serve({ ...env, ...engines.addresses, PORT: String(await freePort()) });
  } finally {
    await engines.stop();
  }
  say("the image's steps work");
} catch (error) {
  reportFailure(error);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
