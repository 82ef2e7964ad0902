// npm test: the tests, with engines and data of their own. Arguments go to mocha.
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { readJson } from "./files.mjs";
import { ensureModules } from "./modules.mjs";
import { requireNode } from "./project.mjs";
import { reportFailure, say } from "./refusal.mjs";
import { removeDeadRuns, removeRun, runDirectory } from "./runs.mjs";
import { runSession } from "./session.mjs";
import { summaryLine } from "./summary.mjs";

const prefix = "test-";
const directory = runDirectory(prefix);
const countsFile = path.join(directory, "counts.json");

/** @param {string[]} args */
async function test(args) {
  requireNode();
  await ensureModules();
  await removeDeadRuns(prefix);
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
