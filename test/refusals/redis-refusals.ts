import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";

import type { Redis } from "ioredis";

import { redisUsers } from "../support/least-rights.ts";
import { waitFor } from "../support/wait-for.ts";
import { again, clerk, type End, type Refusal, type Told } from "./refusal.ts";

type Begin = Refusal["begin"];

const bad = (says: RegExp): Told => ({ severity: "bad", says });

const noAnswer = /^redis does not answer/;

/** Nobody listens there. */
const nowhere = ["127.0.0.1", 1] as const;

/** Refuses what is new to Redis. */
function refused(name: string, begin: Begin, says: RegExp): Refusal {
  return { name: `redis: ${name}`, engine: "redis", begin, posts: "are refused", verdict: bad(says) };
}

/** Takes a right away, which scripts may meet in their middle. */
function forbidden(name: string, begin: Begin, says: RegExp): Refusal {
  return { ...refused(`takes ${name}`, begin, says), isDefect: true, cutsScripts: true };
}

/** Goes on as if nothing was, but for calls that were under way. */
function borne(name: string, begin: Begin, posts: Refusal["posts"] = "go on"): Refusal {
  return { name: `redis: ${name}`, engine: "redis", begin, posts, verdict: undefined };
}

/** A setting for another, and back. */
function setting(name: string, value: string | ((redis: Redis) => Promise<string>)): Begin {
  return async ({ redis }) => {
    const [, before = ""] = await redis.config("GET", name);
    await redis.config("SET", name, typeof value === "string" ? value : await value(redis));
    return () => redis.config("SET", name, before);
  };
}

/** One after the other; they end in the opposite order. */
function all(...begins: readonly Begin[]): Begin {
  return async (ground) => {
    const ends: End[] = [];
    for (const begin of begins) ends.unshift(await begin(ground));
    return async () => {
      for (const end of ends) await end();
    };
  };
}

/** The connections of Sluice, which then come anew. */
const cutOff: Begin = async ({ redis }) => {
  await redis.call("CLIENT", "KILL", "USER", clerk.name);
  return () => Promise.resolve();
};

/** The rules of an ACL for the user of Sluice, and all that it needs again. */
function rules(...changed: readonly string[]): Begin {
  return async ({ redis }) => {
    await redis.call("ACL", "SETUSER", clerk.name, ...changed);
    return () => redis.call("ACL", "SETUSER", clerk.name, ...clerkRules);
  };
}

/** What the user of Sluice may do: the commands that operators are told to allow. */
export const clerkRules = [
  "reset",
  "on",
  `>${clerk.password}`,
  "~*",
  "&*",
  ...(redisUsers()[0]?.commands ?? []).map((command) => `+${command}`),
];

const replicaOfNobody: Begin = async ({ redis }) => {
  await redis.replicaof(...nowhere);
  return () => redis.replicaof("NO", "ONE");
};

/** A snapshot cannot be put in its place, as a folder is there. */
const noSnapshot: Begin = async ({ redis }) => {
  const [, directory = ""] = await redis.config("GET", "dir");
  const inTheWay = path.join(directory, "dump.rdb", "in the way");
  mkdirSync(inTheWay, { recursive: true });
  await redis.config("SET", "save", "3600 1");
  await redis.bgsave();
  await waitFor(async () => (await redis.info("persistence")).includes("rdb_last_bgsave_status:err"), {
    what: "a snapshot that failed",
  });
  return async () => {
    await redis.config("SET", "save", "");
    rmSync(path.dirname(inTheWay), { recursive: true, force: true });
  };
};

/** A script of somebody else's that does not end by itself. */
const strangeScript: Begin = ({ redis }) => {
  const stranger = redis.duplicate();
  const running = stranger.eval("while true do end", 0).catch(() => undefined);
  return Promise.resolve(async () => {
    await redis.call("SCRIPT", "KILL").catch(() => undefined);
    await running;
    stranger.disconnect();
  });
};

/** Longer than any refusal lasts. */
const longMs = 120_000;

const pausedWrites: Begin = async ({ redis }) => {
  await redis.call("CLIENT", "PAUSE", longMs, "WRITE");
  return () => redis.call("CLIENT", "UNPAUSE");
};

/** Whoever is to end it would be paused as well, so it ends by itself, and begins anew. */
const pausedAgain: Begin = ({ redis }) => again(5000, () => redis.call("CLIENT", "PAUSE", 4000, "ALL"));

const asleep: Begin = ({ redis }) => again(100, () => redis.call("DEBUG", "SLEEP", "4"));

const flushedScripts: Begin = ({ redis }) => again(100, () => redis.script("FLUSH"));

const killedConnections: Begin = ({ redis }) =>
  again(200, () => redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"));

/** So much more than is used. */
const memoryTimes = (times: number) => async (redis: Redis) => {
  const used = /^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1];
  return String(Math.round(Number(used) * times));
};

export const redisRefusals: readonly Refusal[] = [
  refused("maxmemory is below what is used", setting("maxmemory", "1"), /no memory left/),
  {
    ...refused(
      "maxmemory is a twentieth above what is used",
      setting("maxmemory", memoryTimes(1.05)),
      /maxmemory/,
    ),
    posts: "either",
  },
  refused("is a replica", replicaOfNobody, /replica that takes no writes/),
  refused(
    "is a replica without its master that serves no old data",
    all(setting("replica-serve-stale-data", "no"), replicaOfNobody),
    /lost its master/,
  ),
  refused("has too few replicas", setting("min-replicas-to-write", "1"), /min-replicas-to-write/),
  refused("cannot write its snapshot", noSnapshot, /cannot write to its disk/),
  refused(
    "is held up by a script",
    all(setting("busy-reply-threshold", "100"), strangeScript),
    /held up by a script/,
  ),
  refused("pauses all who write", pausedWrites, noAnswer),
  { ...refused("pauses everybody, again and again", pausedAgain, noAnswer), posts: "either" },
  { ...refused("sleeps, again and again", asleep, noAnswer), posts: "either" },
  borne("kills all connections, again and again", killedConnections, "either"),
  borne("forgets all scripts, again and again", flushedScripts),
  refused(
    "wants another password",
    all(rules("resetpass", ">another"), cutOff),
    /refuses the user or password/,
  ),
  refused("turns the user off", all(rules("off"), cutOff), /refuses the user or password/),
  refused(
    "has no such user",
    async ({ redis }) => {
      await redis.call("ACL", "DELUSER", clerk.name);
      return () => redis.call("ACL", "SETUSER", clerk.name, ...clerkRules);
    },
    /refuses the user or password/,
  ),
  forbidden("the right to run scripts", rules("-evalsha", "-eval"), /too few rights/),
  forbidden("the right to set a field", rules("-hset"), /may not be asked for hset/),
  forbidden("the right to add to a list", rules("-rpush"), /may not be asked for rpush/),
  forbidden("the right to ask for its state", rules("-info"), /may not be asked for info/),
  forbidden("the right to ask for the time", rules("-time"), /may not be asked for time/),
  forbidden("the right to publish", rules("-publish"), /may not be asked for publish/),
  forbidden("the keys away", rules("resetkeys", "~strange:*"), /too few rights/),
  forbidden(
    "the channels away",
    rules("resetchannels", "&strange:*"),
    /may not be asked for publish|too few rights/,
  ),
  refused("has no connection left", all(setting("maxclients", "1"), cutOff), noAnswer),
  {
    ...refused(
      "closes the connections of all who hold much",
      all(setting("maxmemory-clients", "1"), cutOff),
      noAnswer,
    ),
    posts: "either",
  },
  refused("listens no more", all(setting("port", "0"), cutOff), noAnswer),
  borne("ends idle connections after a second", setting("timeout", "1")),
  {
    ...borne("may evict", setting("maxmemory-policy", "allkeys-lru")),
    verdict: { severity: "warning", says: /maxmemory-policy is allkeys-lru/ },
  },
];
