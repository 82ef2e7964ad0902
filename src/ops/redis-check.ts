import type { Buffer } from "../buffer/buffer.ts";
import { BufferUnavailableError } from "../buffer/connections.ts";
import { MissingRightsError, mostMemoryShare, type RedisMemory } from "../buffer/health.ts";
import { type Check, inTime, type Refusal, tooLate } from "./engine-check.ts";

const refusals: Readonly<Record<string, Refusal>> = {
  OOM: {
    detail: "has no memory left and refuses what is new",
    remedy: "What waits is flushed all the same and makes room. If nothing waits, raise its maxmemory.",
  },
  READONLY: {
    detail: "is a replica that takes no writes",
    remedy: "Point REDIS_URL at the master, or end the failover.",
  },
  MASTERDOWN: {
    detail: "is a replica that has lost its master and serves nothing",
    remedy: "Point REDIS_URL at the master, or make this one the master.",
  },
  MISCONF: {
    detail: "cannot write to its disk and refuses what is new",
    remedy: "Look at the room on its disk, and at its log.",
  },
  NOREPLICAS: {
    detail: "has fewer replicas than min-replicas-to-write wants and refuses what is new",
    remedy: "Start its replicas, or look why they are behind.",
  },
  NOAUTH: {
    detail: "wants a password, and REDIS_URL has none",
    remedy: "Put the password into REDIS_URL, percent-encoded, and start Sluice again.",
  },
  WRONGPASS: {
    detail: "refuses the user or password of REDIS_URL",
    remedy:
      "Mend REDIS_URL, its password percent-encoded, and start Sluice again, or set the password in Redis.",
  },
  NOPERM: {
    detail: "gives the user of REDIS_URL too few rights",
    remedy: "Give it the commands and keys that docs/operations.md lists.",
  },
  LOADING: { detail: "is still loading its data", remedy: "Wait. How long depends on how much it is." },
  BUSY: { detail: "is held up by a script", remedy: "End the script: it is none of Sluice's." },
  CLUSTERDOWN: {
    detail: "says that the cluster is down",
    remedy: "Look which of its masters is away, and at redis-cli --cluster check.",
  },
};

const away: Refusal = {
  detail: "does not answer",
  // What a server says that has too many clients is mostly lost with the connection.
  remedy:
    "Start redis, mend its address, or look whether its maxclients is reached. Nothing else has to be done: work goes on by itself.",
};

/** Has Redis take a small write, and looks at its memory; within a second whatever it does. */
export async function checkRedis(buffer: Buffer): Promise<Check> {
  return inTime(look(buffer), silent);
}

const silent: Check = {
  ...away,
  name: "redis",
  ready: false,
  answers: false,
  detail: tooLate,
};

async function look({ health }: Buffer): Promise<Check> {
  try {
    const [memory, failure] = await Promise.all([health.readMemory(), health.tryWriting()]);
    if (failure !== undefined) return { name: "redis", ready: true, ...describePart(failure) };
    return { name: "redis", ready: true, answers: true, ...describeMemory(memory) };
  } catch (error) {
    return { name: "redis", ready: false, ...describeRefusal(error) };
  }
}

/** What to say of an error, and whether it is an answer at all. */
function describeRefusal(error: unknown): Refusal & Pick<Check, "answers"> {
  const code = error instanceof BufferUnavailableError ? (error.code ?? "") : "";
  const refusal = refusals[code];
  if (!refusal) return { ...away, answers: false };
  if (!(error instanceof MissingRightsError)) return { ...refusal, answers: true };
  return { ...refusal, answers: true, detail: `may not be asked for ${error.commands.join(", ")}` };
}

/** What to say where the other parts of a cluster serve. */
function describePart(error: unknown): Omit<Check, "name" | "ready"> {
  const { detail, remedy } = describeRefusal(error);
  return {
    answers: true,
    isNoticed: true,
    detail: `serves a part of the applications only: a master ${detail}`,
    remedy,
  };
}

/** What to say of Redis' memory; "answers" where all is well with it. */
export function describeMemory(
  memory: RedisMemory | undefined,
): Pick<Check, "detail" | "remedy" | "isNoticed"> {
  if (!memory) return { detail: "answers" };
  const { usedBytes, maxBytes, policy = "" } = memory;
  // Any other policy may throw accepted records away.
  if (policy !== "" && policy !== "noeviction") {
    return {
      detail: `answers, but may evict what was accepted: maxmemory-policy is ${policy}, it must be noeviction`,
    };
  }
  if (maxBytes === 0 || usedBytes <= mostMemoryShare * maxBytes) return { detail: "answers" };
  return {
    detail: `answers, but ${describeShare(usedBytes / maxBytes)} of its maxmemory is used: above ${100 * mostMemoryShare} % a POST of a chat or message is answered 503`,
    isNoticed: true,
    remedy: "Let it flush: that makes room. If nothing waits, raise maxmemory.",
  };
}

/** In percent, as long as it is one: maxmemory can be set below what is used already. */
function describeShare(share: number): string {
  return share > 1 ? "more than 100 %" : `${Math.floor(100 * share)} %`;
}
