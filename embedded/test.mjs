// npm test: the tests, with engines and data of their own. Arguments go to mocha.
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { removePlace } from "./elasticsearch-place.mjs";
import { readJson } from "./files.mjs";
import { endLeftovers } from "./guarded.mjs";
import { ensureModules } from "./modules.mjs";
import { findProcess } from "./processes.mjs";
import { requireNode, workDirectory } from "./project.mjs";
import { reportFailure, say } from "./refusal.mjs";
import { runSession } from "./session.mjs";
import { summaryLine } from "./summary.mjs";

const prefix = "test-";
const directory = path.join(workDirectory, `${prefix}${process.pid}`);
const countsFile = path.join(directory, "counts.json");

/** @param {string[]} args */
async function test(args) {
  requireNode();
  await ensureModules();
  await removeDeadRuns();
  const scratch = path.join(directory, "scratch");
  mkdirSync(scratch, { recursive: true, mode: 0o700 });
  const env = { ...process.env, SLUICE_TEST_DIRECTORY: scratch, SLUICE_TEST_COUNTS: countsFile };
  return runSession({ directory, env, log: say }, ({ node }) =>
    node("mocha", [
      "node_modules/mocha/bin/mocha.js",
      ...args,
      ...(namesFiles(args) ? [] : ["test/**/*.test.ts"]),
    ]),
  );
}

/** Mocha adds the files it is given to the configured ones instead of running only them. @param {string[]} args */
function namesFiles(args) {
  return args.some((arg) => /\.[cm]?[jt]s$/.test(arg) || (/^[^-].*\//.test(arg) && existsSync(arg)));
}

/** A failed run's folder is kept to be looked at until the next run; a killed run could not remove its own. */
async function removeDeadRuns() {
  mkdirSync(workDirectory, { recursive: true });
  for (const name of readdirSync(workDirectory).filter((entry) => entry.startsWith(prefix))) {
    if (findProcess(Number(name.slice(prefix.length)))) continue;
    const dead = path.join(workDirectory, name);
    await endLeftovers(dead, say);
    removeRun(dead);
  }
}

/** @param {string} run */
function removeRun(run) {
  removePlace(run, process.env);
  rmSync(run, { recursive: true, force: true });
}

let code = 1;
try {
  code = await test(process.argv.slice(2));
} catch (error) {
  reportFailure(error);
}
const { line, failed } = summaryLine(readJson(countsFile), code);
if (failed && code === 0) code = 1;
if (code === 0) removeRun(directory);
else if (existsSync(directory))
  say(`the data and logs of this run are kept in ${directory} until the next one`);
process.stdout.write(`${line}\n`);
process.exitCode = code;
