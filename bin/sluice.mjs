#!/usr/bin/env node
// npx sluice …: the command line of src/main.ts, on the engines of a running npm start unless the environment
// names others.
import { existsSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { withDotenv } from "../embedded/dotenv.mjs";
import { wantedEngines } from "../embedded/engines.mjs";
import { requireNode, root, startDirectory } from "../embedded/project.mjs";
import { Refusal, reportFailure } from "../embedded/refusal.mjs";
import { readRunningState } from "../embedded/state.mjs";

/** In a clone the source; in an image only what was built from it. */
const source = path.join(root, "src", "main.ts");
const built = path.join(root, "dist", "src", "main.js");

/** @param {string[]} args */
function needsEngines(args) {
  return args.length > 0 && !["help", "--help", "-h", "--version", "-V"].some((word) => args.includes(word));
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
function withEngines(env) {
  const wanted = wantedEngines(env);
  if (!wanted.redis && !wanted.database) return env;
  const running = readRunningState(startDirectory);
  if (running) {
    const used = Object.entries(running.addresses).filter(([name]) => wanted[engineOf(name)]);
    return { ...env, ...Object.fromEntries(used) };
  }
  throw new Refusal(
    "there is no Sluice running here. Start it with npm start, or set REDIS_URL and DATABASE_HOST.",
  );
}

/** Whose address a variable is. @param {string} name */
function engineOf(name) {
  if (name === "ELASTICSEARCH_URL") return "elasticsearch";
  return name === "REDIS_URL" ? "redis" : "database";
}

/** Runs in this process, so that signals, the terminal and the exit code are the command's own. */
async function runMain() {
  const main = existsSync(source) ? source : built;
  if (main === source) {
    // What --import tsx does; the arguments are for processes that the command starts in its turn.
    process.execArgv.push("--import", "tsx");
    await import(import.meta.resolve("tsx"));
  }
  process.argv[1] = main;
  await import(pathToFileURL(main).href);
}

try {
  requireNode();
  if (!existsSync(path.join(root, "node_modules"))) {
    throw new Refusal("there are no node modules yet: npm start installs them");
  }
  const env = withDotenv(path.join(root, ".env"), process.env);
  Object.assign(process.env, needsEngines(process.argv.slice(2)) ? withEngines(env) : env);
  await runMain();
} catch (error) {
  reportFailure(error);
}
