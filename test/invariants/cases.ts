import type { FindingKind } from "../../src/buffer/invariants/finding.ts";
import type { Stage } from "./stage.ts";

/** A disorder made by hand. */
export interface Case {
  readonly kind: FindingKind;
  /** What it is to see. */
  readonly title: string;
  readonly spoil: (checked: Checked) => Promise<unknown>;
  /** What else is then wrong. */
  readonly besides?: readonly FindingKind[];
  /** What is wrong after what can be put right was; all is in order where it is not said. */
  readonly stays?: readonly FindingKind[];
}

/** Where the cases find what they put out of order: chat 1 is stored, and chat 3 with its messages waits. */
interface Checked {
  readonly stage: Stage;
  readonly token: string;
  /** Of the chat that MySQL refused, number 2. */
  readonly letter: string;
}

const redisOf = ({ workspace }: Stage) => workspace.redis;
const storedIn = (token: string) => ({ token, chatNumber: 1 });
const waitingIn = (token: string) => ({ token, chatNumber: 3 });

export const cases: readonly Case[] = [
  {
    kind: "unlisted",
    title: "a new record that no list has",
    spoil: ({ stage, token }) => redisOf(stage).lrem(stage.keys.list(0, "messages"), 1, `${token}:3:1`),
  },
  {
    kind: "unlisted",
    title: "a change that no list has",
    spoil: ({ stage, token }) => redisOf(stage).lrem(stage.keys.list(0, "messages"), 1, `${token}:1:2:r`),
  },
  {
    kind: "unlisted",
    title: "a refused record that is no dead letter",
    spoil: async ({ stage, letter }) => {
      await redisOf(stage).zrem(stage.keys.deadLetters(0), letter);
      await redisOf(stage).hdel(stage.keys.deadReasons(0), letter);
    },
  },
  {
    kind: "listed-twice",
    title: "a record with two references",
    spoil: ({ stage, token }) => redisOf(stage).rpush(stage.keys.list(0, "messages"), `${token}:3:1`),
    stays: ["listed-twice"],
  },
  {
    kind: "listed-twice",
    title: "a deleted new record that is listed as a change as well",
    spoil: ({ stage, token }) => redisOf(stage).rpush(stage.keys.list(0, "messages"), `${token}:3:2:r`),
    stays: ["listed-twice"],
  },
  {
    kind: "listed-twice",
    title: "a dead letter that is listed as well",
    spoil: ({ stage, letter }) => redisOf(stage).rpush(stage.keys.list(0, "chats"), letter),
    stays: ["listed-twice"],
  },
  {
    kind: "dangling",
    title: "a reference to nothing",
    spoil: ({ stage, token }) => redisOf(stage).rpush(stage.keys.list(0, "messages"), `${token}:3:99`),
    stays: ["dangling"],
  },
  {
    kind: "stray",
    title: "an entry that is no reference",
    spoil: ({ stage }) => redisOf(stage).rpush(stage.keys.list(0, "messages"), "what is this"),
    stays: ["stray"],
  },
  {
    kind: "stray",
    title: "a reference in the other list",
    spoil: ({ stage, token }) => redisOf(stage).rpush(stage.keys.list(0, "messages"), `${token}:99`),
    stays: ["stray"],
  },
  {
    kind: "two-homes",
    title: "a record that waits and was refused",
    spoil: async ({ stage, token }) => {
      const payload = (await redisOf(stage).hget(stage.keys.pending(waitingIn(token)), "1")) ?? "";
      await redisOf(stage).hset(stage.keys.dead(waitingIn(token)), "1", payload);
      await stage.weigh(waitingIn(token), payload.length);
    },
    besides: ["unlisted"],
    stays: ["two-homes", "unlisted"],
  },
  {
    kind: "half-deleted",
    title: "a deleted new record of which the revisions do not tell",
    spoil: async ({ stage, token }) => {
      const payload = (await redisOf(stage).hget(stage.keys.revisions(waitingIn(token)), "2")) ?? "";
      await redisOf(stage).hdel(stage.keys.revisions(waitingIn(token)), "2");
      await stage.weigh(waitingIn(token), -payload.length);
    },
    stays: ["half-deleted"],
  },
  {
    kind: "beneath-deleted",
    title: "records beneath a deleted chat",
    spoil: ({ stage, token }) => redisOf(stage).hset(stage.keys.counter(waitingIn(token)), "deleted", 1),
    besides: ["partition-bytes"],
    stays: ["beneath-deleted"],
  },
  {
    kind: "counter-bytes",
    title: "a counter with another sum",
    spoil: ({ stage, token }) => redisOf(stage).hincrby(stage.keys.counter(waitingIn(token)), "bytes", 5),
  },
  {
    kind: "counter-bytes",
    title: "records without a counter",
    spoil: ({ stage, token }) => redisOf(stage).del(stage.keys.counter(waitingIn(token))),
  },
  {
    kind: "counter-expires",
    title: "a counter that expires above what waits",
    spoil: ({ stage, token }) => redisOf(stage).expire(stage.keys.counter(waitingIn(token)), 3600),
  },
  {
    kind: "counter-behind-pending",
    title: "a counter behind what waits",
    spoil: ({ stage, token }) => redisOf(stage).hset(stage.keys.counter(waitingIn(token)), "last", 3),
  },
  {
    kind: "counter-not-dense",
    title: "a counter that says that numbers are dense where they are not",
    spoil: ({ stage, token }) =>
      redisOf(stage).hset(stage.keys.counter(waitingIn(token)), "last", 5, "written", 1),
  },
  {
    kind: "counter-behind-mysql",
    title: "a counter behind the rows",
    spoil: ({ stage, token }) => redisOf(stage).hset(stage.keys.counter(storedIn(token)), "last", 2),
  },
  {
    kind: "expires",
    title: "records that expire",
    spoil: ({ stage, token }) => redisOf(stage).expire(stage.keys.pending(waitingIn(token)), 3600),
  },
  {
    kind: "expires",
    title: "a list that expires",
    spoil: ({ stage }) => redisOf(stage).expire(stage.keys.list(0, "chats"), 3600),
  },
  {
    kind: "wrong-type",
    title: "a key of another type",
    spoil: ({ stage }) => redisOf(stage).set(stage.keys.pending({ token: "somebody" }), "text"),
    stays: ["wrong-type"],
  },
  {
    kind: "misplaced",
    title: "a key of another partition",
    spoil: ({ stage, token }) =>
      redisOf(stage).hset(stage.keys.counter(waitingIn(token)).replace("{0}", "{7}"), "last", 1),
    stays: ["misplaced"],
  },
  {
    kind: "letter-without-record",
    title: "a dead letter without its record",
    spoil: async ({ stage, token }) => {
      const payload = (await redisOf(stage).hget(stage.keys.dead({ token }), "2")) ?? "";
      await redisOf(stage).hdel(stage.keys.dead({ token }), "2");
      await stage.weigh({ token }, -payload.length);
    },
    stays: ["letter-without-record"],
  },
  {
    kind: "letter-without-reason",
    title: "a dead letter without a reason",
    spoil: ({ stage, letter }) => redisOf(stage).hdel(stage.keys.deadReasons(0), letter),
  },
  {
    kind: "reason-without-letter",
    title: "a reason without a dead letter",
    spoil: ({ stage, token }) =>
      redisOf(stage).hset(stage.keys.deadReasons(0), `${token}:9:d`, "ER_DATA_TOO_LONG"),
  },
  {
    kind: "set-aside-without-letter",
    title: "what is set aside and no dead letter",
    spoil: ({ stage, token }) =>
      redisOf(stage).hset(stage.keys.setAside(0), `${token}:9:d:operation-000009`, "payload"),
  },
  {
    kind: "partition-bytes",
    title: "a partition with another sum",
    spoil: ({ stage }) => redisOf(stage).hincrby(stage.keys.meta(0), "bytes", -7),
  },
  {
    kind: "owed-total",
    title: "another count of owed documents",
    spoil: ({ stage }) => redisOf(stage).hincrby(stage.keys.meta(0), "owed", 3),
  },
  {
    kind: "owed-unlisted",
    title: "owed documents of a chat that is not listed",
    spoil: async ({ stage, token }) => {
      await redisOf(stage).zadd(stage.keys.owed(storedIn(token)), 7, "1");
      await redisOf(stage).hincrby(stage.keys.meta(0), "owed", 1);
    },
  },
  {
    kind: "owed-nothing",
    title: "a chat that owes nothing",
    spoil: ({ stage, token }) => redisOf(stage).zadd(stage.keys.owedChats(0), 7, `${token}:1`),
  },
  {
    kind: "odd-path",
    title: "a path that is none",
    spoil: ({ stage }) => redisOf(stage).zadd(stage.keys.dirty(0), 7, "what is this"),
    stays: ["odd-path"],
  },
  {
    kind: "epoch-differs",
    title: "a Redis of another epoch",
    spoil: ({ stage }) => redisOf(stage).hset(stage.keys.meta(0), "epoch", "another"),
    stays: ["epoch-differs"],
  },
  {
    kind: "commits-lost",
    title: "a MySQL that is behind what it had committed",
    spoil: ({ stage }) => redisOf(stage).hset(stage.keys.meta(0), "committed", 1000),
    stays: ["commits-lost"],
  },
  {
    kind: "losses-ahead",
    title: "a MySQL that knows of fewer losses",
    spoil: ({ stage }) => redisOf(stage).hset(stage.keys.meta(0), "losses", 1000),
    stays: ["losses-ahead"],
  },
];
