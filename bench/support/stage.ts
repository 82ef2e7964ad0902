import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";

import { nanoid } from "nanoid";

import { type Buffer, openBuffer } from "../../src/buffer/buffer.ts";
import { Keys } from "../../src/buffer/keys.ts";
import type { PartitionTotals } from "../../src/buffer/totals.ts";
import type { Parent } from "../../src/buffer/references.ts";
import { encodeRecord } from "../../src/records/payload.ts";
import { newRecord } from "../../src/records/records.ts";
import { openWorkspace, type Workspace } from "../../test/support/workspace.ts";
import { type Chat, storeMessages, storeRows, text } from "./rows.ts";
import { scratchDirectory } from "./scratch.ts";

export interface StageSize {
  readonly applications: number;
  /** Of all applications together. */
  readonly chats: number;
  /** How many messages of each chat are rows from the beginning; none where it does not say. */
  readonly storedIn?: (at: number) => number;
}

/** A hundred chats in ten applications: some are busy at once, none is alone. */
export const usualSize: StageSize = { applications: 10, chats: 100 };

/** As many in each of two, three or four partitions. */
export const evenSize: StageSize = { applications: 12, chats: 120 };

/** What is posted. */
export const messageJson = JSON.stringify({ body: text });

/** Room for all that is ever pending here, and no limit of requests that load could reach. */
const roomy = {
  RATE_LIMIT_PER_MINUTE: "1000000000",
  BUFFER_MAX_RECORDS: "10000000",
  BUFFER_MAX_BYTES: String(1024 ** 4),
};

const operationIdLength = 16;
const pipelined = 1000;

/** Gives all other keys the value and the time to live of the first. */
const copyFirst = "for at = 2, #KEYS do redis.call('COPY', KEYS[1], KEYS[at]) end";

/** A contestant's own corner of the engines, with applications and chats in it that both stores know. */
export class Stage {
  readonly workspace: Workspace;
  readonly buffer: Buffer;
  readonly chats: readonly Chat[];
  readonly #keys: Keys;
  readonly #storedIn: (at: number) => number;

  private constructor(
    workspace: Workspace,
    buffer: Buffer,
    chats: readonly Chat[],
    storedIn: (at: number) => number,
  ) {
    const { namespace, partitions } = workspace.config.redis;
    this.workspace = workspace;
    this.buffer = buffer;
    this.chats = chats;
    this.#storedIn = storedIn;
    this.#keys = new Keys(namespace, partitions);
  }

  /** Opens one, for processes with these settings. */
  static async open(settings: NodeJS.ProcessEnv = {}, size: StageSize = usualSize): Promise<Stage> {
    const workspace = await openWorkspace({ ...roomy, ...settings });
    const { redis, buffer: bounds } = workspace.config;
    const limits = { ...bounds, thresholds: { chats: 1e9, messages: 1e9 } };
    // Patient: what fills it is not what is measured.
    const buffer = await openBuffer({ ...redis, limits }, "draining");
    const tokens = tokensFor(buffer, size.applications);
    const chats = Array.from({ length: size.chats }, (_, at) => ({
      token: tokens[at % tokens.length] ?? "",
      chatNumber: Math.floor(at / tokens.length) + 1,
    }));
    const { storedIn = () => 0 } = size;
    const stage = new Stage(workspace, buffer, chats, storedIn);
    for (let partition = 0; partition < buffer.partitions; partition += 1)
      await buffer.epochs.beginFirst(partition, randomUUID());
    await storeRows(workspace, chats, storedIn);
    await stage.#seed(tokens);
    return stage;
  }

  get env(): NodeJS.ProcessEnv {
    return this.workspace.env;
  }

  get partitions(): number[] {
    return Array.from({ length: this.buffer.partitions }, (_, partition) => partition);
  }

  /** Writes a file of a path for each of these chats. */
  writePaths(pathOf: (chat: Chat, at: number) => string = messagesPath, chats = this.chats): string {
    const lines = chats.map((chat, at) => `${pathOf(chat, at)}\n`);
    const file = path.join(scratchDirectory, `paths-${nanoid(8)}`);
    writeFileSync(file, lines.join(""));
    return file;
  }

  /** Accepts messages in the chats by turns, as the API does. */
  async fill(count: number): Promise<void> {
    const turns = Array.from({ length: count }, (_, at) => this.chats[at % this.chats.length]);
    await inSlices(turns, async (chat) => {
      const createdAtMs = Date.now();
      const payload = encodeRecord(newRecord(nanoid(operationIdLength), createdAtMs, text));
      const reply = chat && (await this.buffer.accepting.accept(chat, { payload, createdAtMs }));
      if (reply?.kind !== "accepted") throw new Error(`a message was not accepted: ${reply?.kind ?? ""}`);
    });
  }

  /** Pending messages. */
  async pending(): Promise<number> {
    const { redis } = this.workspace;
    const lengths = this.partitions.map((partition) => redis.llen(this.#keys.list(partition, "messages")));
    return (await Promise.all(lengths)).reduce((total, length) => total + length, 0);
  }

  /** Throws away what is pending, where nobody flushes it; numbers go on. */
  async discardPending(): Promise<void> {
    const { namespace } = this.workspace.config.redis;
    await this.discardRecords(this.chats);
    // Idempotency keys are remembered for a day; the queue is that of a peer, who has no other keys of this form.
    await unlinkMatching(this.workspace, `${namespace}:{*}:idempotency:*`);
    await unlinkMatching(this.workspace, `${namespace}:messages:*`);
  }

  /** The same for what has no idempotency key; it looks for no keys, so that it takes no longer among millions. */
  async discardRecords(chats: readonly Chat[]): Promise<void> {
    const { redis } = this.workspace;
    for (const partition of this.partitions) {
      await redis.unlink(this.#keys.list(partition, "messages"));
      await redis.hset(this.#keys.meta(partition), "bytes", 0);
    }
    await inSlices(chats, (chat) => redis.unlink(this.#keys.pending(chat)));
  }

  /** Messages accepted since the stage was opened. */
  async accepted(): Promise<number> {
    return (await this.#totals()).reduce((total, { accepted }) => total + accepted.messages, 0);
  }

  /** @throws where MySQL has refused something */
  async requireNoDeadLetters(): Promise<void> {
    const dead = (await this.#totals()).reduce((total, { deadLetters }) => total + deadLetters, 0);
    if (dead > 0) throw new Error(`${dead} dead letters`);
  }

  /**
   * Brings forward what the rest of an hour would do.
   *
   * @throws where a counter was not about to leave
   */
  async expireCounters(): Promise<void> {
    const { redis } = this.workspace;
    await inSlices(this.#parents(), async (parent) => {
      const key = this.#keys.counter(parent);
      if ((await redis.call("pexpire", key, 1, "xx")) !== 1) throw new Error(`${key} would stay for ever`);
    });
  }

  /** Stops or resumes the flushing of all partitions. */
  async pause(): Promise<void> {
    for (const partition of this.partitions) await this.buffer.pauses.pause(partition, "benchmark");
  }

  async resume(): Promise<void> {
    await Promise.all(this.partitions.map((partition) => this.buffer.pauses.resume(partition)));
  }

  async countMessages(): Promise<number> {
    const [row] = await this.workspace.sql("messages").count({ count: "*" });
    return Number(row?.count);
  }

  async dropMessages(): Promise<void> {
    await this.workspace.sql.raw("truncate table messages");
  }

  /** Leaves the messages that were rows from the beginning; truncated, as a DELETE has work left for later. */
  async restoreMessages(): Promise<void> {
    await this.dropMessages();
    await storeMessages(this.workspace, this.chats, this.#storedIn);
  }

  async close(): Promise<void> {
    this.buffer.close();
    await unlinkMatching(this.workspace, `${this.workspace.config.redis.namespace}:*`);
    await this.workspace.close();
  }

  #totals(): Promise<PartitionTotals[]> {
    return Promise.all(this.partitions.map((partition) => this.buffer.totals.read(partition)));
  }

  #parents(): Parent[] {
    const tokens = [...new Set(this.chats.map(({ token }) => token))];
    return [...tokens.map((token) => ({ token })), ...this.chats];
  }

  /** Makes every chat, and what it belongs to, one that Redis knows. */
  async #seed(tokens: readonly string[]): Promise<void> {
    const parents: (Parent & { greatest: number })[] = [
      ...tokens.map((token) => ({ token, greatest: this.chats.length })),
      ...this.chats.map((chat, at) => ({ ...chat, greatest: this.#storedIn(at) })),
    ];
    const alike = new Map<string, Parent[]>();
    for (const { greatest, ...parent } of parents) {
      const group = `${this.buffer.partitionOf(parent.token)}:${greatest}`;
      const known = alike.get(group);
      if (known) known.push(parent);
      else {
        alike.set(group, [parent]);
        const load = await this.buffer.accepting.beginLoad(parent, "benchmark");
        if (load.kind === "loading") await this.buffer.accepting.seed(parent, load, greatest);
      }
    }
    for (const group of alike.values()) await this.#copyCounter(group);
  }

  /** Gives the others the counter of the first: much faster than a call for each. */
  async #copyCounter([first, ...others]: readonly Parent[]): Promise<void> {
    if (!first) return;
    for (let from = 0; from < others.length; from += pipelined) {
      const keys = [first, ...others.slice(from, from + pipelined)].map((parent) =>
        this.#keys.counter(parent),
      );
      await this.workspace.redis.eval(copyFirst, keys.length, ...keys);
    }
  }
}

/** Where a chat's messages are. */
export function messagesPath({ token, chatNumber }: Chat): string {
  return `/api/v1/applications/${token}/chats/${chatNumber}/messages`;
}

/** Tokens that lie in the partitions by turns, so that each has as much to do. */
function tokensFor(buffer: Buffer, count: number): string[] {
  return Array.from({ length: count }, (_, at) => {
    for (;;) {
      const token = nanoid(22).replace(/^-/, "x");
      if (buffer.partitionOf(token) === at % buffer.partitions) return token;
    }
  });
}

/** Acts on all, some at a time: they go to Redis in one pipeline. */
export async function inSlices<T>(all: readonly T[], act: (one: T) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < all.length; from += pipelined)
    await Promise.all(all.slice(from, from + pipelined).map(act));
}

/** Removes the keys of a pattern without holding up Redis. */
async function unlinkMatching({ redis }: Workspace, pattern: string): Promise<void> {
  let cursor = "0";
  do {
    const [next, keys] = await redis.scan(cursor, "MATCH", pattern, "COUNT", 5000);
    if (keys.length > 0) await redis.unlink(...keys);
    cursor = next;
  } while (cursor !== "0");
}
