import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

import { describeReport } from "../crash/torture-report.ts";
import { torture } from "../crash/torture.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { RedisCluster } from "../support/redis-cluster.ts";
import { SpiderCluster } from "../support/spider.ts";
import { suites, suitesOfOnePartition } from "./suites.ts";

const tortureMs = 60_000;

/** More than there are masters, so that some masters have several. */
const partitions = 4;

async function onRedisCluster(files: readonly string[]): Promise<number> {
  const cluster = await RedisCluster.start();
  try {
    return await onSpider(files, { REDIS_URL: cluster.url, PARTITIONS: String(partitions) });
  } finally {
    await cluster.close();
  }
}

async function onOneRedis(files: readonly string[]): Promise<number> {
  const redis = await PrivateEngine.start("redis");
  try {
    return await onSpider(files, redis.env);
  } finally {
    await redis.close();
  }
}

/** Runs mocha on engines that are given to it by their addresses; answers its exit code. */
async function onSpider(files: readonly string[], redis: NodeJS.ProcessEnv): Promise<number> {
  const spider = await SpiderCluster.start();
  try {
    const mocha = spawn(process.execPath, ["node_modules/mocha/bin/mocha.js", ...files], {
      env: { ...process.env, ...redis, ...spider.env, SEARCH: "mysql" },
      stdio: "inherit",
    });
    const [code] = (await once(mocha, "exit")) as [number | null];
    return code ?? 1;
  } finally {
    await spider.close();
  }
}

async function runTorture(): Promise<number> {
  const seed = Date.now() % 1_000_000;
  const report = await torture(tortureMs, seed, { redis: "cluster", database: "spider" });
  console.log(describeReport(report));
  return report.problems.length === 0 ? 0 : 1;
}

/** Tests on the engines of their suite: those that know only one partition on one Redis. Answers whether any failed. */
async function runTests(files: readonly string[]): Promise<number> {
  const knowOne = files.filter((file) => suitesOfOnePartition.includes(path.normalize(file)));
  const others = files.filter((file) => !knowOne.includes(file));
  const codes = [
    others.length > 0 ? await onRedisCluster(others) : 0,
    knowOne.length > 0 ? await onOneRedis(knowOne) : 0,
  ];
  return Math.max(...codes);
}

/** Everything; answers whether any of it failed. */
async function runAll(): Promise<number> {
  return Math.max(await runTests([...suites, ...suitesOfOnePartition]), await runTorture());
}

const files = process.argv.slice(2);
process.exit(files.length === 0 ? await runAll() : await runTests(files));
