import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";

import { freePort } from "../embedded/ports.mjs";
import { root, workDirectory } from "../embedded/project.mjs";
import { waitFor } from "../test/support/wait-for.ts";
import type { Benchmark, Findings, Settings } from "./support/benchmark.ts";
import { spread } from "./support/statistics.ts";
import { spreadText } from "./support/table.ts";

export const start: Benchmark = {
  name: "start",
  about: "npm start, from installed modules until it is ready",
  options: { rounds: { about: "starts of each kind", value: "5" } },
  run,
};

async function run(settings: Settings): Promise<Findings> {
  const rounds = settings.number("rounds");
  const first: number[] = [];
  const again: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const clone = copyClone();
    try {
      first.push(await secondsToReady(clone));
      again.push(await secondsToReady(clone));
    } finally {
      rmSync(clone, { recursive: true, force: true });
    }
  }
  return {
    conditions:
      `From \`npm start\` until \`/readyz\` answers 200, the modules being installed, in ${rounds} new clones: with private ` +
      "engines, and without Elasticsearch, which nobody waits for. The first start makes the database.",
    tables: [
      {
        title: "npm start",
        head: ["seconds"],
        rows: [
          ["in a new clone", spreadText(spread(first))],
          ["again", spreadText(spread(again))],
        ],
      },
    ],
    figures: { first, again },
  };
}

/** A copy of what git has, so that nobody's data are in the way. Its modules are those of this clone. */
function copyClone(): string {
  const clone = path.join(workDirectory, `bench-${process.pid}`, "clone");
  mkdirSync(clone, { recursive: true });
  const leftOut = new Set([".git", ".sluice", "dist", "node_modules", "backups"]);
  for (const entry of readdirSync(root).filter((name) => !leftOut.has(name)))
    cpSync(path.join(root, entry), path.join(clone, entry), { recursive: true });
  symlinkSync(path.join(root, "node_modules"), path.join(clone, "node_modules"));
  return clone;
}

async function secondsToReady(clone: string): Promise<number> {
  const port = String(await freePort());
  const startedAtMs = performance.now();
  const child = spawn("npm", ["start"], {
    cwd: clone,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], PORT: port, SEARCH: "mysql" },
    stdio: "ignore",
  });
  try {
    const isReady = async () => {
      if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}`);
      return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
    };
    await waitFor(isReady, { what: "npm start to be ready", timeoutMs: 120_000 });
    return (performance.now() - startedAtMs) / 1000;
  } finally {
    await end(child);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
}
