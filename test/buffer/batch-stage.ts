import { expect } from "chai";

import type { Batch, BatchLimits, Death, PendingEntry } from "../../src/buffer/batch.ts";
import type { Buffer } from "../../src/buffer/buffer.ts";
import { Keys } from "../../src/buffer/keys.ts";
import type { Place } from "../../src/buffer/references.ts";
import type { Lease } from "../../src/buffer/leases.ts";
import type { AckReply } from "../../src/buffer/pending-batches.ts";
import { newRecord } from "../../src/records/records.ts";
import { openTestBuffer, seed, takeLease } from "../support/buffers.ts";
import { operationIdOf, requestOf } from "../support/requests.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

export const token = "application";
export const chat = { token, chatNumber: 1 };

const everything = { maxRows: 5000, maxBytes: 1_000_000 };
const noTotals = new Map<string, number>();
const noDeaths = new Map<PendingEntry, Death>();

export function upTo(count: number, first = 1): number[] {
  return Array.from({ length: count }, (_, at) => first + at);
}

export function numbersOf(batch: { entries: readonly Place[] }): number[] {
  return batch.entries.map(({ number }) => number);
}

/** A buffer with one chat, whose messages are accepted, read in batches and acknowledged. */
export class BatchStage {
  readonly workspace: Workspace;
  readonly keys: Keys;
  readonly buffer: Buffer;
  readonly lease: Lease;

  private constructor(workspace: Workspace, buffer: Buffer, lease: Lease) {
    this.workspace = workspace;
    this.keys = new Keys(workspace.config.redis.namespace, 1);
    this.buffer = buffer;
    this.lease = lease;
  }

  static async open(): Promise<BatchStage> {
    const workspace = await openWorkspace();
    // Records are changed and taken away by hand.
    workspace.expectFindings("counter-bytes", "partition-bytes", "dangling");
    const buffer = await openTestBuffer(workspace, "draining");
    await seed(buffer, chat, 0);
    return new BatchStage(workspace, buffer, await takeLease(buffer));
  }

  async close(): Promise<void> {
    this.buffer.close();
    await this.workspace.close();
  }

  async acceptMessages(count: number, text = (number: number) => `body ${number}`): Promise<void> {
    const start = (await this.buffer.totals.read(0)).accepted.messages + 1;
    await Promise.all(
      upTo(count, start).map((number) =>
        this.buffer.accepting.accept(chat, requestOf(operationIdOf(number), text(number))),
      ),
    );
  }

  peek(skip = 0, limits: BatchLimits = everything): Promise<Batch> {
    return this.buffer.batches.peek(0, "messages", skip, limits);
  }

  acknowledge(batch: Batch, totals = noTotals): Promise<AckReply> {
    return this.buffer.batches.acknowledge(this.lease, batch, noDeaths, totals);
  }

  length(): Promise<number> {
    return this.buffer.batches.length(0, "messages");
  }

  /** Gives a record that the buffer has another text, as a PATCH does. */
  async change(number: number, text: string, revision = "changed"): Promise<void> {
    const place = { ...chat, number };
    const seen = await this.buffer.reads.find(place);
    if (seen.kind === "gone" || seen.kind === "absent") throw new Error(seen.kind);
    const record = { ...seen.record, revision, text };
    expect(await this.buffer.revising.revise(place, seen, record)).to.deep.equal({ kind: "revised" });
  }

  /** Gives a record that MySQL has, and the buffer has not, another text. */
  async changeStored(number: number, text: string): Promise<void> {
    const place = { ...chat, number };
    const seen = await this.buffer.reads.find(place);
    if (seen.kind !== "absent") throw new Error(seen.kind);
    const record = { ...newRecord(operationIdOf(number), 0, text), revision: `of ${text}`, updatedAtMs: 1 };
    expect(await this.buffer.revising.revise(place, seen, record)).to.deep.equal({ kind: "revised" });
  }

  async numbersIn(hash: string): Promise<number[]> {
    return (await this.workspace.redis.hkeys(hash)).map(Number).sort((a, b) => a - b);
  }

  /** Numbers whose payload lies in the buffer while no list names them: nobody would ever write those. */
  async forgotten(): Promise<number[]> {
    const listed = new Set(await this.workspace.redis.lrange(this.keys.list(0, "messages"), 0, -1));
    const kept = await this.numbersIn(this.keys.pending(chat));
    const revised = await this.numbersIn(this.keys.revisions(chat));
    return [
      ...kept.filter((number) => !listed.has(`${token}:1:${number}`)),
      ...revised.filter((number) => !listed.has(`${token}:1:${number}:r`)),
    ];
  }
}
