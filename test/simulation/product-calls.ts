/** What the program calls of its engines, as the simulation names it; with `product.ts` all that it knows of the program. */

/** Calls that a fault may strike, each as likely as another. */
export const namedCalls = [
  "accept",
  "begin-load",
  "seed",
  "find",
  "revise",
  "accept",
  "acknowledge",
  "acknowledge",
  "acknowledge",
  "acknowledge",
  "bury",
  "acquire-lease",
  "renew-lease",
  "begin-epoch",
  "begin-comparison",
  "who-serves",
  "delete-parent",
  "count-flush",
  "hmget",
  "read-list",
  "begin",
  "commit",
  "commit",
  "commit",
  "insert messages",
  "insert chats",
  "update messages",
  "update partitions",
  "update chats",
  "update applications",
  "select partitions",
  "select chats",
  "select messages",
  "select applications",
  "delete messages",
  "delete chats",
  "insert removals",
  "select removals",
] as const;

/** Calls of somebody who loads a parent, after MySQL was asked for its numbers. */
export const callsOfLoad = ["seed", "seed", "select partitions", "select applications"] as const;

/** Calls of a flusher that writes a batch, from the first after it has looked whether it may. */
export const callsOfWrite = ["count-flush", "begin", "insert messages", "update messages", "commit"] as const;

/** Calls of whoever keeps the search index. */
export const callsOfIndexing = [
  "bulk",
  "bulk",
  "refresh",
  "delete by query",
  "settle",
  "owe",
  "owe-removal",
  "search ids",
] as const;

const redisReads = new Set(
  "find page hmget hexists exists hget llen lrange zcard zrange zscore get who-serves read-list".split(" "),
);

/** What a step touches, and whether another one can see that. */
export interface StepNature {
  readonly engine: "redis" | "mysql" | "all";
  /** "commit" is seen at once; a "write" within a transaction is not seen by who reads; "private" is nobody else's. */
  readonly kind: "read" | "write" | "commit" | "private";
}

/** By the label of a step: its name and details. */
export function stepNature(label: string): StepNature {
  if (label === "loss") return { engine: "all", kind: "commit" };
  const [verb = ""] = label.split(" ");
  if (verb === "begin" || verb === "reply") return { engine: "mysql", kind: "private" };
  if (["commit", "rollback"].includes(verb)) return { engine: "mysql", kind: "commit" };
  if (verb === "select") return { engine: "mysql", kind: label.includes("for update") ? "write" : "read" };
  if (["insert", "update", "delete"].includes(verb)) {
    // What is written within a transaction bears a dot.
    return { engine: "mysql", kind: label.includes("· ") ? "write" : "commit" };
  }
  if (verb === "lpush+ltrim") return { engine: "redis", kind: "private" };
  return { engine: "redis", kind: verb.split("+").every((one) => redisReads.has(one)) ? "read" : "commit" };
}
