import { setTimeout as delay } from "node:timers/promises";

import { Queue } from "bullmq";
import { Redis } from "ioredis";
import type { Connection } from "mysql2/promise";

import { cpuOf, type CpuUse, type Pids } from "./cpu.ts";
import { enginePids } from "./engines.ts";
import { peer, Program, sluice } from "./program.ts";
import { connectRaw, statements } from "./raw-rows.ts";
import { messageJson, Stage } from "./stage.ts";

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

/** Measures a drain and checks that each message is a row. */
async function measure(
  stage: Stage,
  pids: Pids,
  count: number,
  run: () => Promise<number>,
): Promise<Drained> {
  const { result: rowsPerSecond, cpu } = await cpuOf(pids, run);
  const rows = await stage.countMessages();
  if (rows !== count) throw new Error(`${rows} rows of ${count} messages`);
  const us = (seconds: number) => (seconds * 1e6) / count;
  return { rowsPerSecond, cpuUs: { node: us(cpu.node), redis: us(cpu.redis), mysql: us(cpu.mysql) } };
}

/** The flusher, as a process or as several that share the partitions. */
export async function sluiceDrainer(name: string, { processes = 1, partitions = 1 } = {}): Promise<Drainer> {
  const stage = await Stage.open({ PARTITIONS: String(partitions) });
  await stage.pause();
  const starts = Array.from({ length: processes }, () => Program.start(sluice, ["flusher"], stage.env));
  const flushers = await Promise.all(starts);
  const pids = { node: flushers.map(({ pid }) => pid), ...(await enginePids(stage.workspace)) };
  return {
    name,
    async drain(count) {
      await stage.dropMessages();
      await stage.fill(count);
      return measure(stage, pids, count, async () => {
        await stage.resume();
        const rate = await watch(count, () => stage.pending());
        await stage.pause();
        return rate;
      });
    },
    async close() {
      for (const flusher of flushers) await flusher.end();
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
      return measure(stage, pids, count, () => runAll(open, texts, count));
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
  const { body } = JSON.parse(messageJson) as { body: string };
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
      return measure(stage, pids, count, async () => {
        await queue.resume();
        return watch(count, async () => {
          const { wait = 0, active = 0 } = await queue.getJobCounts("wait", "active");
          return wait + active;
        });
      });
    },
    async close() {
      await worker.end();
      await queue.close();
      connection.disconnect();
      await stage.close();
    },
  };
}
