import { setTimeout as delay } from "node:timers/promises";

import { Queue } from "bullmq";
import { Redis } from "ioredis";
import type { Connection } from "mysql2/promise";

import { cpuOf, type CpuUse, type Pids } from "./cpu.ts";
import { enginePids } from "./engines.ts";
import { type NodeFlags, peer, Program, sluice } from "./program.ts";
import { connectRaw, statements, text as body } from "./rows.ts";
import { evenSize, Stage, usualSize } from "./stage.ts";

/** How fast rows went into MySQL, and what it took. */
export interface Drained {
  readonly rowsPerSecond: number;
  /** Microseconds of processor time a row. */
  readonly cpuUs: CpuUse;
}

/** Somebody who brings messages into MySQL, in a corner of its own. */
export interface Drainer {
  readonly name: string;
  /** Makes as many messages wait, none of which is in MySQL, and then lets them go there. */
  drain(count: number): Promise<Drained>;
  close(): Promise<void>;
}

const lookEveryMs = 10;
const patienceMs = 600_000;

/**
 * Waits until nothing remains. The rate is that between the first time that something was found done and the
 * last, so that neither a start nor a first batch counts.
 */
async function watch(count: number, remaining: () => Promise<number>): Promise<number> {
  const deadlineMs = performance.now() + patienceMs;
  let first: { atMs: number; remaining: number } | undefined;
  while (performance.now() < deadlineMs) {
    const left = await remaining();
    const atMs = performance.now();
    if (first && left === 0) return (first.remaining / (atMs - first.atMs)) * 1000;
    if (left < count) first ??= { atMs, remaining: left };
    await delay(lookEveryMs);
  }
  throw new Error(`not drained within ${patienceMs / 1000} s`);
}

/** What a drain takes, by processor time and by what `run` answers: its rate. */
async function measure(pids: Pids, count: number, run: () => Promise<number>): Promise<Drained> {
  const { result: rowsPerSecond, cpu } = await cpuOf(pids, run);
  const us = (seconds: number) => (seconds * 1e6) / count;
  return { rowsPerSecond, cpuUs: { node: us(cpu.node), redis: us(cpu.redis), mysql: us(cpu.mysql) } };
}

/** @throws where not each message is a row */
async function requireRows(stage: Stage, count: number): Promise<void> {
  const rows = await stage.countMessages();
  if (rows !== count) throw new Error(`${rows} rows of ${count} messages`);
}

/** Flushers that work on a stage only when they are told. */
export class Flushers {
  readonly #stage: Stage;
  readonly #programs: readonly Program[];

  private constructor(stage: Stage, programs: readonly Program[]) {
    this.#stage = stage;
    this.#programs = programs;
  }

  static async start(
    stage: Stage,
    { processes = 1, nodeFlags = [] }: { processes?: number; nodeFlags?: NodeFlags } = {},
  ): Promise<Flushers> {
    await stage.pause();
    const starts = Array.from({ length: processes }, () =>
      Program.start(sluice, ["flusher"], stage.env, nodeFlags),
    );
    return new Flushers(stage, await Promise.all(starts));
  }

  /** Makes messages pending and has them flushed. */
  async flush(count: number): Promise<Drained> {
    const stage = this.#stage;
    await stage.fill(count);
    const pids = { node: this.#programs.map(({ pid }) => pid), ...(await enginePids(stage.workspace)) };
    return measure(pids, count, async () => {
      await stage.resume();
      const rate = await watch(count, () => stage.pending());
      await stage.pause();
      await stage.requireNoDeadLetters();
      return rate;
    });
  }

  async end(): Promise<void> {
    for (const program of this.#programs) await program.end();
  }
}

/** The flusher, as a process or as several that share the partitions. */
export async function sluiceDrainer(name: string, { processes = 1, partitions = 1 } = {}): Promise<Drainer> {
  const size = partitions === 1 ? usualSize : evenSize;
  const stage = await Stage.open({ PARTITIONS: String(partitions) }, size);
  const flushers = await Flushers.start(stage, { processes });
  return {
    name,
    async drain(count) {
      await stage.dropMessages();
      const drained = await flushers.flush(count);
      await requireRows(stage, count);
      return drained;
    },
    async close() {
      await flushers.end();
      await stage.close();
    },
  };
}

/** The limit: statements made beforehand, through the driver alone. */
export async function rawDrainer(name: string, connections: number): Promise<Drainer> {
  const stage = await Stage.open();
  const pids = { node: [process.pid], ...(await enginePids(stage.workspace)) };
  const open = await Promise.all(Array.from({ length: connections }, () => connectRaw(stage.workspace)));
  return {
    name,
    async drain(count) {
      await stage.dropMessages();
      const texts = [...statements(stage.chats, count)];
      const drained = await measure(pids, count, () => runAll(open, texts, count));
      await requireRows(stage, count);
      return drained;
    },
    async close() {
      for (const connection of open) await connection.end();
      await stage.close();
    },
  };
}

/** Runs the statements, each connection its next one when the last is done; answers the rate after the first. */
async function runAll(open: readonly Connection[], texts: readonly string[], count: number): Promise<number> {
  let next = 0;
  let firstDoneMs: number | undefined;
  const work = async (connection: Connection) => {
    for (let text = texts[next++]; text !== undefined; text = texts[next++]) {
      await connection.query(text);
      firstDoneMs ??= performance.now();
    }
  };
  await Promise.all(open.map(work));
  const seconds = (performance.now() - (firstDoneMs ?? 0)) / 1000;
  return (count * (1 - 1 / texts.length)) / seconds;
}

/** A worker of BullMQ. */
export async function bullmqDrainer(name: string, script: string): Promise<Drainer> {
  const stage = await Stage.open();
  const { env, workspace, chats } = stage;
  const worker = await Program.start(peer(script), [], env);
  const pids = { node: [worker.pid], ...(await enginePids(workspace)) };
  const connection = new Redis(workspace.config.redis.url, { maxRetriesPerRequest: null });
  const queue = new Queue("messages", { connection, prefix: workspace.config.redis.namespace });
  const jobOf = (at: number) => {
    const { token, chatNumber } = chats[at % chats.length] ?? { token: "", chatNumber: 0 };
    const number = Math.floor(at / chats.length) + 1;
    const data = { token, chat: chatNumber, number, body, created_at: new Date().toISOString() };
    return { name: "message", data, opts: { removeOnComplete: true } };
  };
  return {
    name,
    async drain(count) {
      await stage.dropMessages();
      await queue.pause();
      for (let from = 0; from < count; from += 1000) {
        const length = Math.min(1000, count - from);
        await queue.addBulk(Array.from({ length }, (_, at) => jobOf(from + at)));
      }
      const drained = await measure(pids, count, async () => {
        await queue.resume();
        return watch(count, async () => {
          const { wait = 0, active = 0 } = await queue.getJobCounts("wait", "active");
          return wait + active;
        });
      });
      await requireRows(stage, count);
      return drained;
    },
    async close() {
      await worker.end();
      await queue.close();
      connection.disconnect();
      await stage.close();
    },
  };
}
