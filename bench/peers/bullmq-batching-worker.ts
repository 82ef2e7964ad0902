// A worker of BullMQ that gathers jobs: up to a thousand are in hand at a time, wait for each other, and go into one
// INSERT. That takes one call to Redis a job, which ends it and brings the next; to fetch and end jobs by hand
// (getNextJob, moveToCompleted) would take two.
import { type Job, Worker } from "bullmq";
import { Redis } from "ioredis";

import { insertJobs, type QueuedMessage } from "./rows.ts";
import { openDatabase, settings, tellReady } from "./settings.ts";

const maxRows = 1000;
/** A batch that is not full goes when no job has come for so long. */
const gatherMs = 5;

const database = openDatabase(4);
const connection = new Redis(settings.redisUrl, { maxRetriesPerRequest: null });

interface Waiting {
  readonly job: Job<QueuedMessage>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

let waiting: Waiting[] = [];
let timer: NodeJS.Timeout | undefined;

function gather(job: Job<QueuedMessage>): Promise<void> {
  return new Promise((resolve, reject) => {
    waiting.push({ job, resolve, reject });
    clearTimeout(timer);
    if (waiting.length >= maxRows) void write();
    else timer = setTimeout(() => void write(), gatherMs);
  });
}

async function write(): Promise<void> {
  const batch = waiting;
  waiting = [];
  try {
    await insertJobs(
      database,
      batch.map(({ job }) => job),
    );
    for (const { resolve } of batch) resolve();
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}

const worker = new Worker<QueuedMessage>("messages", gather, {
  connection,
  prefix: settings.namespace,
  concurrency: maxRows,
  lockDuration: 120_000,
});
worker.on("error", (error) => {
  console.error(error);
});
await worker.waitUntilReady();
tellReady();
