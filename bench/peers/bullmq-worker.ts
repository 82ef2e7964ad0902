// A worker of BullMQ that inserts each job by itself, as many at a time as the database has connections for.
import { Worker } from "bullmq";
import { Redis } from "ioredis";

import { insertJobs, type QueuedMessage } from "./rows.ts";
import { openDatabase, settings, tellReady } from "./settings.ts";

const concurrency = 16;
const database = openDatabase(concurrency);
const connection = new Redis(settings.redisUrl, { maxRetriesPerRequest: null });

const worker = new Worker<QueuedMessage>("messages", (job) => insertJobs(database, [job]), {
  connection,
  prefix: settings.namespace,
  concurrency,
});
worker.on("error", (error) => {
  console.error(error);
});
await worker.waitUntilReady();
tellReady();
