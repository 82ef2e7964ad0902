import { again, type EngineName, type Refusal } from "./refusal.ts";

type Begin = Refusal["begin"];

function stopped(engine: EngineName): Begin {
  return ({ engines }) => {
    const { pid } = engines[engine];
    process.kill(pid, "SIGSTOP");
    return Promise.resolve(() => Promise.resolve(process.kill(pid, "SIGCONT")));
  };
}

function killed(engine: EngineName): Begin {
  return async ({ engines }) => {
    await engines[engine].stop("SIGKILL");
    return () => engines[engine].start();
  };
}

function silent(engine: EngineName): Begin {
  return ({ networks }) => {
    networks[engine].stall();
    return Promise.resolve(() => {
      networks[engine].heal();
      return Promise.resolve();
    });
  };
}

function cutAgain(engine: EngineName): Begin {
  return ({ networks }) =>
    again(300, () => {
      networks[engine].cut();
      return Promise.resolve();
    });
}

const ofRedis = {
  engine: "redis",
  posts: "are refused",
  verdict: { severity: "bad", says: /^redis does not answer/ },
} as const;

const ofMysql = {
  engine: "mysql",
  posts: "go on",
  verdict: { severity: "warning", says: /^database does not answer/ },
} as const;

/** The server is not there, or cannot be reached. */
export const outages: readonly Refusal[] = [
  { ...ofRedis, name: "redis: stops", begin: stopped("redis") },
  { ...ofRedis, name: "redis: is killed, and started again", begin: killed("redis") },
  { ...ofRedis, name: "redis: says nothing, behind the network", begin: silent("redis") },
  {
    ...ofRedis,
    name: "redis: is cut off again and again, behind the network",
    begin: cutAgain("redis"),
    posts: "either",
    verdict: undefined,
  },
  { ...ofMysql, name: "mysql: stops", begin: stopped("mysql") },
  { ...ofMysql, name: "mysql: is killed, and started again", begin: killed("mysql") },
  { ...ofMysql, name: "mysql: says nothing, behind the network", begin: silent("mysql") },
  {
    ...ofMysql,
    name: "mysql: is cut off again and again, behind the network",
    begin: cutAgain("mysql"),
    verdict: undefined,
  },
];
