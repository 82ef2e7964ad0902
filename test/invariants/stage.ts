import type { Buffer } from "../../src/buffer/buffer.ts";
import type { FindingKind } from "../../src/buffer/invariants/finding.ts";
import { Keys } from "../../src/buffer/keys.ts";
import type { Parent } from "../../src/buffer/references.ts";
import { EpochGuard } from "../../src/epoch-guard.ts";
import { createAcceptor } from "../../src/http/accept.ts";
import { createChanger } from "../../src/http/change.ts";
import { createReader } from "../../src/http/read-after-write.ts";
import type { Acceptor, Changer } from "../../src/http/services.ts";
import { checkInvariants } from "../../src/invariants.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { openTestBuffer } from "../support/buffers.ts";
import { Flushing } from "../support/flushing.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";
import { said } from "../support/said.ts";

/** One key as it was. */
interface Kept {
  readonly key: string;
  readonly value: globalThis.Buffer;
  readonly ttlMs: number;
}

/** The real services and a flusher, on a corner of their own. */
export class Stage {
  readonly workspace: Workspace;
  readonly keys: Keys;
  readonly buffer: Buffer;
  readonly store: Store;
  readonly accept: Acceptor;
  readonly change: Changer;

  private constructor(workspace: Workspace, buffer: Buffer, store: Store) {
    this.workspace = workspace;
    this.keys = new Keys(workspace.config.redis.namespace, buffer.partitions);
    this.buffer = buffer;
    this.store = store;
    const epochs = new EpochGuard(buffer, store, () => undefined);
    this.accept = createAcceptor(buffer, store, epochs);
    this.change = createChanger(buffer, store, createReader(buffer, store));
  }

  static async open(): Promise<Stage> {
    const workspace = await openWorkspace();
    const buffer = await openTestBuffer(workspace, "draining");
    return new Stage(workspace, buffer, openStore(workspace.config.database, "writing"));
  }

  async close(): Promise<void> {
    this.buffer.close();
    await this.store.close();
    await this.workspace.close();
  }

  /** An application that MySQL has. */
  async application(): Promise<string> {
    return (await this.change.createApplication("checked")).application.token;
  }

  async message(token: string, chatNumber: number): Promise<number> {
    return (await this.accept.message(token, chatNumber, said("a message"))).number;
  }

  /** Flushes all that waits, of the one partition. */
  async drain(): Promise<void> {
    const flushing = await Flushing.begin(this.buffer, this.store);
    await flushing.drain({ thresholds: { chats: 10, messages: 10 }, maxRows: 50 }).run("minute");
    await this.buffer.leases.release(flushing.lease);
  }

  async look(settleMs = 0) {
    return checkInvariants(this.buffer, this.store, { settleMs });
  }

  async kinds(): Promise<FindingKind[]> {
    return (await this.look()).findings.map(({ kind }) => kind).sort();
  }

  /** Makes the totals say that so many bytes more lie beneath a parent. */
  async weigh(parent: Parent, bytes: number): Promise<void> {
    const { redis } = this.workspace;
    await redis.hincrby(this.keys.counter(parent), "bytes", bytes);
    await redis.hincrby(this.keys.meta(0), "bytes", bytes);
  }

  /** All keys as they are. */
  async keep(): Promise<Kept[]> {
    const { redis, config } = this.workspace;
    const keys = await redis.keys(`${config.redis.namespace}:*`);
    return Promise.all(
      keys.map(async (key) => ({
        key,
        value: await redis.dumpBuffer(key),
        ttlMs: Math.max(0, await redis.pttl(key)),
      })),
    );
  }

  /** Puts all keys back to what was kept. */
  async restore(kept: readonly Kept[]): Promise<void> {
    const { redis, config } = this.workspace;
    await redis.del(await redis.keys(`${config.redis.namespace}:*`));
    for (const { key, value, ttlMs } of kept) await redis.restore(key, ttlMs, value);
  }
}
