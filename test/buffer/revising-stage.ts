import { expect } from "chai";

import type { Buffer } from "../../src/buffer/buffer.ts";
import { Keys } from "../../src/buffer/keys.ts";
import type { Parent, Place } from "../../src/buffer/references.ts";
import type { Lease } from "../../src/buffer/leases.ts";
import type { Batch } from "../../src/buffer/batch.ts";
import type { Found, Seen } from "../../src/buffer/pending-reads.ts";
import { decodeRecord, encodeRecord } from "../../src/records/payload.ts";
import { newRecord, type PendingRecord } from "../../src/records/records.ts";
import { openTestBuffer, seed, takeLease } from "../support/buffers.ts";
import { operationIdOf, requestOf } from "../support/requests.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

export const token = "application";
export const application = { token };
export const chat = { token, chatNumber: 1 };
/** The first message of the chat. */
export const first: Place = { ...chat, number: 1 };
export const original = newRecord(operationIdOf(1), 1000, "as accepted");

export function edited(text: string, revision = `r-${text}`): PendingRecord {
  return asRead({ ...original, revision, text });
}

export function deleted(revision = "deleted"): PendingRecord {
  return asRead({ ...original, revision, text: null, isDeleted: true });
}

/** A record as whoever finds it reads it: a change says of each field what it is to be. */
function asRead(record: PendingRecord): PendingRecord {
  return decodeRecord(encodeRecord(record));
}

/** Bytes that records take in the buffer. */
export function sizeOf(...records: PendingRecord[]): number {
  return records.reduce((total, record) => total + encodeRecord(record).length, 0);
}

export function textOf(found: Found): string | null {
  return "record" in found ? found.record.text : found.kind;
}

/** A buffer in which chats and messages are accepted, changed and taken away as by a flush. */
export class RevisingStage {
  readonly workspace: Workspace;
  readonly keys: Keys;
  readonly buffer: Buffer;
  readonly #lease: Lease;

  private constructor(workspace: Workspace, buffer: Buffer, lease: Lease) {
    this.workspace = workspace;
    this.keys = new Keys(workspace.config.redis.namespace, 1);
    this.buffer = buffer;
    this.#lease = lease;
  }

  /** With an application that is known and has no chat. */
  static async open(): Promise<RevisingStage> {
    const workspace = await openWorkspace();
    const buffer = await openTestBuffer(workspace, "draining");
    await seed(buffer, application, 0);
    return new RevisingStage(workspace, buffer, await takeLease(buffer));
  }

  async close(): Promise<void> {
    this.buffer.close();
    await this.workspace.close();
  }

  /** A chat with one pending message, both as accepted. */
  async beginPending(): Promise<void> {
    await this.accept(application);
    await this.accept(chat);
  }

  async accept(parent: Parent, text = "as accepted", operation = 1): Promise<number | string> {
    const reply = await this.buffer.accepting.accept(parent, requestOf(operationIdOf(operation), text));
    return reply.kind === "accepted" ? reply.number : reply.kind;
  }

  async look(place: Place): Promise<Seen> {
    const found = await this.buffer.reads.find(place);
    if (found.kind === "gone") throw new Error("gone");
    return found;
  }

  async revise(place: Place, seen: Seen, record: PendingRecord, through = this.buffer): Promise<string> {
    return (await through.revising.revise(place, seen, record)).kind;
  }

  peek(list: "chats" | "messages"): Promise<Batch> {
    return this.buffer.batches.peek(0, list, 0, { maxRows: 1000, maxBytes: 1e9 });
  }

  async references(list: "chats" | "messages"): Promise<readonly string[]> {
    return (await this.peek(list)).references;
  }

  async acknowledge(batch: Batch): Promise<void> {
    const reply = await this.buffer.batches.acknowledge(this.#lease, batch, new Map(), new Map());
    expect(reply.kind).to.equal("acknowledged");
  }

  async flush(list: "chats" | "messages"): Promise<void> {
    await this.acknowledge(await this.peek(list));
  }

  async bytes(): Promise<number> {
    return (await this.buffer.totals.read(0)).pendingBytes;
  }
}
