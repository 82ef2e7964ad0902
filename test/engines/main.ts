import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { readJson } from "../../embedded/files.mjs";
import { type Counts, summaryLine } from "../../embedded/summary.mjs";
import { leastRightsVariable } from "../support/least-rights.ts";
import { openPair, type Pair } from "./pairs.ts";
import { suitesOfEngines } from "./suites.ts";

const underLeastRights = "--least-rights";
const countsFile = path.join(tmpdir(), "counts.json");

interface Outcome {
  readonly pair: string;
  readonly line: string;
  readonly failed: boolean;
}

/** Runs the tests on a pair; one that cannot be reached has failed. */
async function runOn(file: string | undefined, tests: readonly string[]): Promise<Outcome> {
  try {
    const pair = await openPair(file);
    const name = `${pair.redis}, ${pair.database}`;
    console.log(`\n${name}`);
    try {
      return { pair: name, ...(await runTests(pair, tests)) };
    } finally {
      await pair.close();
    }
  } catch (error) {
    return { pair: file ?? "the environment", line: String(error), failed: true };
  }
}

async function runTests({ env }: Pair, tests: readonly string[]): Promise<ReturnType<typeof summaryLine>> {
  rmSync(countsFile, { force: true });
  const mocha = spawn(process.execPath, ["node_modules/mocha/bin/mocha.js", ...tests], {
    env: {
      ...env,
      SLUICE_TEST_COUNTS: countsFile,
      ...(given.includes(underLeastRights) && { [leastRightsVariable]: "1" }),
      ...(!env["ELASTICSEARCH_URL"] && { SEARCH: "mysql" }),
    },
    stdio: "inherit",
  });
  const [code] = (await once(mocha, "exit")) as [number | null];
  return summaryLine(readJson(countsFile) as Counts | undefined, code ?? 1);
}

const given = process.argv.slice(2);
const files = given.filter((word) => word.endsWith(".env"));
const rest = given.filter((word) => word !== underLeastRights && !files.includes(word));
const tests = rest.some((word) => word.endsWith(".test.ts")) ? rest : [...rest, ...suitesOfEngines()];

const outcomes: Outcome[] = [];
for (const file of files.length > 0 ? files : [undefined]) outcomes.push(await runOn(file, tests));
console.log("");
for (const { pair, line } of outcomes) console.log(`${pair}: ${line}`);
process.exit(outcomes.some(({ failed }) => failed) ? 1 : 0);
