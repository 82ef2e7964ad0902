import type { Redis } from "ioredis";
import type { Knex } from "knex";

import { readProjectFile } from "../deploy/files.ts";

/** Set to anything, it lets what the tests start come to its engines with the rights of `deploy/rights/` and no more. */
export const leastRightsVariable = "SLUICE_TEST_LEAST_RIGHTS";

const password = "secret";

/** A line of `deploy/rights/redis.acl`. */
export interface RedisUser {
  readonly name: string;
  /** What may be done, a word each: keys, channels, commands. */
  readonly rules: readonly string[];
  /** The commands among that. */
  readonly commands: readonly string[];
}

/** The users of Redis that operators are given. */
export function redisUsers(): readonly RedisUser[] {
  const lines = readProjectFile("deploy/rights/redis.acl").trimEnd().split("\n");
  return lines.map((line) => {
    const [, name = "", ...rules] = line.split(" ");
    const commands = rules.filter((rule) => rule.startsWith("+")).map((rule) => rule.slice(1));
    return { name, rules, commands };
  });
}

/** The statements that make the users of MySQL that operators are given. */
export function mysqlUsers(): readonly string[] {
  const text = readProjectFile("deploy/rights/mysql.sql").replaceAll(/^--.*$/gm, "");
  return text
    .split(";")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}

/**
 * Makes the users that an API and a flusher need, for one database and namespace; answers their addresses.
 *
 * @param name of the database, the namespace and the users
 */
export async function makeUsers(
  name: string,
  env: NodeJS.ProcessEnv,
  { redis, sql }: { readonly redis: Redis; readonly sql: Knex },
): Promise<NodeJS.ProcessEnv> {
  const [user] = redisUsers();
  const rules = user?.rules.map((rule) =>
    rule.replace("sluice:", `${name}:`).replace(/^>.*/, `>${password}`),
  );
  await redis.call("ACL", "SETUSER", name, ...(rules ?? []));
  await makeMysqlUser(sql, { name, password, database: name });
  const url = new URL(env["REDIS_URL"] ?? "redis://127.0.0.1");
  [url.username, url.password] = [name, password];
  return { REDIS_URL: url.href, DATABASE_USERNAME: name, DATABASE_PASSWORD: password };
}

/** Makes the user of MySQL that an API and a flusher need, for one database. */
export async function makeMysqlUser(
  sql: Knex,
  {
    name,
    password,
    database,
  }: { readonly name: string; readonly password: string; readonly database: string },
): Promise<void> {
  for (const statement of mysqlUsers().slice(0, 2)) {
    const renamed = statement.replace("'sluice'", `'${name}'`).replace("sluice.*", `\`${database}\`.*`);
    await sql.raw(renamed.replace("'change me'", `'${password}'`));
  }
}

/** Removes them. */
export async function removeUsers(
  name: string,
  { redis, sql }: { readonly redis: Redis; readonly sql: Knex },
): Promise<void> {
  await redis.call("ACL", "DELUSER", name);
  await sql.raw(`drop user '${name}'@'%'`);
}
