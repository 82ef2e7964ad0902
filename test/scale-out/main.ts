import { spawn } from "node:child_process";
import { once } from "node:events";

import { describeReport, torture } from "../crash/torture.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { SpiderCluster } from "../support/spider.ts";
import { suites } from "./suites.ts";

const tortureMs = 60_000;

/** Runs mocha on engines that are given to it by their addresses; answers its exit code. */
async function runSuites(files: readonly string[]): Promise<number> {
  const redis = await PrivateEngine.start("redis");
  const spider = await SpiderCluster.start();
  try {
    const env = { ...process.env, ...redis.env, ...spider.env, SEARCH: "mysql" };
    const mocha = spawn(process.execPath, ["node_modules/mocha/bin/mocha.js", ...files], {
      env,
      stdio: "inherit",
    });
    const [code] = (await once(mocha, "exit")) as [number | null];
    return code ?? 1;
  } finally {
    await Promise.all([redis.close(), spider.close()]);
  }
}

async function runTorture(): Promise<number> {
  const report = await torture(tortureMs, Date.now() % 1_000_000, "spider");
  console.log(describeReport(report));
  return report.problems.length === 0 ? 0 : 1;
}

const files = process.argv.slice(2);
const suitesCode = await runSuites(files.length === 0 ? suites : files);
const tortureCode = files.length === 0 ? await runTorture() : 0;
process.exit(suitesCode || tortureCode);
