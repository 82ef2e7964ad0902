import { setTimeout as pause } from "node:timers/promises";

import knex from "knex";

import { loadConfig } from "../../src/config.ts";
import { knexSettings } from "../../src/store/connection.ts";
import { isOfAnotherRun } from "./run-name.ts";
import { connectToRedis } from "./test-redis.ts";

/** A Redis that says nothing for so long is not there. */
const patienceMs = 10_000;

/**
 * The databases and keys in the engines that the environment names; nothing where it names none, or they do not
 * answer. What another run of the tests has there at the same time is left out.
 */
export async function listStored(env: NodeJS.ProcessEnv): Promise<ReadonlySet<string> | undefined> {
  if (!env["REDIS_URL"] || !env["DATABASE_HOST"]) return undefined;
  try {
    const names = [...(await listDatabases(env)), ...(await listKeys(env["REDIS_URL"]))];
    return new Set(names.filter((name) => !isOfAnotherRun(name)));
  } catch {
    return undefined;
  }
}

async function listDatabases(env: NodeJS.ProcessEnv): Promise<string[]> {
  const { connection, ...settings } = knexSettings(loadConfig(env).database, "writing");
  const sql = knex({ ...settings, connection: { ...(connection as object), database: "" } });
  try {
    const [rows] = (await sql.raw("show databases")) as [{ Database: string }[]];
    return rows.map(({ Database }) => `database ${Database}`);
  } finally {
    await sql.destroy();
  }
}

async function listKeys(url: string): Promise<string[]> {
  const redis = connectToRedis(url);
  const silence = pause(patienceMs, undefined, { ref: false }).then(() => {
    throw new Error("Redis does not answer");
  });
  try {
    return (await Promise.race([redis.keys("*"), silence])).map((key) => `key ${key}`);
  } finally {
    redis.disconnect();
  }
}
