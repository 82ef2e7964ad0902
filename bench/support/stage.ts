import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";

import { nanoid } from "nanoid";

import { type Buffer, openBuffer } from "../../src/buffer/buffer.ts";
import { Keys } from "../../src/buffer/keys.ts";
import { encodeRecord, newRecord } from "../../src/records.ts";
import { openWorkspace, type Workspace } from "../../test/support/workspace.ts";
import { scratchDirectory } from "./scratch.ts";

export interface Chat {
  readonly token: string;
  readonly chatNumber: number;
}

export interface StageSize {
  readonly applications: number;
  /** Of all applications together. */
  readonly chats: number;
}

/** A hundred chats in ten applications: some are busy at once, none is alone. */
export const usualSize: StageSize = { applications: 10, chats: 100 };

/** About as long as what people write. */
export const bodyBytes = 100;
const text = "All work and no play makes a dull queue. ".repeat(3).slice(0, bodyBytes);
export const messageJson = JSON.stringify({ body: text });

/** Room for all that is ever pending here, and no limit of requests that load could reach. */
const roomy = {
  RATE_LIMIT_PER_MINUTE: "1000000000",
  BUFFER_MAX_RECORDS: "10000000",
  BUFFER_MAX_BYTES: String(1024 ** 4),
};

const operationIdLength = 16;
const pipelined = 1000;

/** A contestant's own corner of the engines, with applications and chats in it that both stores know. */
export class Stage {
  readonly workspace: Workspace;
  readonly buffer: Buffer;
  readonly chats: readonly Chat[];
  readonly #keys: Keys;

  private constructor(workspace: Workspace, buffer: Buffer, chats: readonly Chat[]) {
    const { namespace, partitions } = workspace.config.redis;
    this.workspace = workspace;
    this.buffer = buffer;
    this.chats = chats;
    this.#keys = new Keys(namespace, partitions);
  }

  /** Opens one, for processes with these settings. */
  static async open(settings: NodeJS.ProcessEnv = {}, size: StageSize = usualSize): Promise<Stage> {
    const workspace = await openWorkspace({ ...roomy, ...settings });
    const { redis, buffer: bounds } = workspace.config;
    const limits = { ...bounds, thresholds: { chats: 1e9, messages: 1e9 } };
    const buffer = await openBuffer({ ...redis, limits }, "requests");
    const tokens = tokensFor(buffer, size.applications);
    const chats = Array.from({ length: size.chats }, (_, at) => ({
      token: tokens[at % tokens.length] ?? "",
      chatNumber: Math.floor(at / tokens.length) + 1,
    }));
    const stage = new Stage(workspace, buffer, chats);
    for (let partition = 0; partition < buffer.partitions; partition += 1)
      await buffer.epochs.beginFirst(partition, randomUUID());
    await stage.#storeParents(tokens);
    await stage.seed();
    return stage;
  }

  get env(): NodeJS.ProcessEnv {
    return this.workspace.env;
  }

  get partitions(): number[] {
    return Array.from({ length: this.buffer.partitions }, (_, partition) => partition);
  }

  /** Writes a file of the paths under which these chats' messages are. */
  writePaths(chats: readonly Chat[] = this.chats, suffix: (at: number) => string = () => ""): string {
    const lines = chats.map(
      ({ token, chatNumber }, at) =>
        `/api/v1/applications/${token}/chats/${chatNumber}/messages${suffix(at)}\n`,
    );
    const file = path.join(scratchDirectory, `paths-${nanoid(8)}`);
    writeFileSync(file, lines.join(""));
    return file;
  }

  /** Makes every chat, and what it belongs to, one that Redis knows. */
  async seed(): Promise<void> {
    const tokens = [...new Set(this.chats.map(({ token }) => token))];
    const parents = [...tokens.map((token) => ({ token })), ...this.chats];
    await inSlices(parents, (parent) =>
      this.buffer.accepting.seed(parent, { greatest: 0, newestAtMs: Date.now() }),
    );
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

  /** Throws away what is pending, as nobody flushes it; numbers go on. */
  async discardPending(): Promise<void> {
    const { redis, config } = this.workspace;
    for (const partition of this.partitions) {
      await redis.unlink(this.#keys.list(partition, "messages"));
      await redis.hset(this.#keys.meta(partition), "bytes", 0);
    }
    await inSlices(this.chats, (chat) => redis.unlink(this.#keys.pending(chat)));
    // Idempotency keys are remembered for a day; the queue is that of a peer, who has no other keys of this form.
    await unlinkMatching(this.workspace, `${config.redis.namespace}:{*}:idempotency:*`);
    await unlinkMatching(this.workspace, `${config.redis.namespace}:messages:*`);
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

  async close(): Promise<void> {
    this.buffer.close();
    await unlinkMatching(this.workspace, `${this.workspace.config.redis.namespace}:*`);
    await this.workspace.close();
  }

  async #storeParents(tokens: readonly string[]): Promise<void> {
    const { sql } = this.workspace;
    const now = new Date();
    const times = { created_at: now, updated_at: now };
    await sql("applications").insert(tokens.map((token) => ({ token, name: "benchmark", ...times })));
    for (let from = 0; from < this.chats.length; from += 5000) {
      const rows = this.chats.slice(from, from + 5000).map(({ token, chatNumber }) => ({
        application_token: token,
        number: chatNumber,
        operation_id: nanoid(operationIdLength),
        ...times,
      }));
      await sql("chats").insert(rows);
    }
  }
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
