import type { Buffer } from "../buffer/buffer.ts";
import { BufferUnavailableError } from "../buffer/connections.ts";
import { durationBuckets } from "../flusher/flush-totals.ts";
import { registerJobs } from "./job-metrics.ts";
import { Metrics } from "../telemetry.ts";
import type { Check } from "./engine-check.ts";
import { readStatus, type Status } from "./status.ts";

type Show = (status: Status) => void;

/**
 * Makes the metrics whose truth is in Redis, the same whichever process is asked, and answers the text of all
 * metrics: of these, and of what the processes themselves count, `ofProcesses`. While Redis is away
 * `sluice_redis_up` is 0 and the others stay as they were last seen.
 */
export function createMetricsText(
  buffer: Buffer,
  check: () => Promise<readonly Check[]>,
  ofProcesses: () => Promise<string>,
): () => Promise<string> {
  const metrics = new Metrics({ aboutProcess: false });
  const registers = [registerBuffer, registerRoom, registerTotals, registerDurations, registerIndex];
  const shows = registers.map((register) => register(metrics));
  const showJobs = registerJobs(metrics, buffer);
  const up = metrics.gauge({ name: "sluice_redis_up", help: "Whether Redis answers." });
  const writable = metrics.gauge({
    name: "sluice_redis_writable",
    help: "Whether Redis takes what is written to it.",
  });
  const engines = metrics.gauge({
    name: "sluice_engine_up",
    help: "Whether an engine answers, needed or not.",
    labels: ["engine"],
  });
  return async () => {
    const [checks, status] = await Promise.all([check(), statusOrNothing(buffer, showJobs)]);
    for (const { name, answers } of checks) engines.set({ engine: name }, Number(answers));
    writable.set(Number(checks.some(({ name, ready }) => name === "redis" && ready)));
    if (status) for (const show of shows) show(status);
    up.set(status ? 1 : 0);
    return (await Promise.all([metrics.text(), ofProcesses()])).join("");
  };
}

async function statusOrNothing(buffer: Buffer, showJobs: () => Promise<void>): Promise<Status | undefined> {
  try {
    const [status] = await Promise.all([readStatus(buffer), showJobs()]);
    return status;
  } catch (error) {
    if (error instanceof BufferUnavailableError) return undefined;
    throw error;
  }
}

/** How much each partition may hold, and whether flushing goes on. */
function registerRoom(metrics: Metrics): Show {
  const records = metrics.gauge({
    name: "sluice_buffer_max_records",
    help: "Records that all partitions may hold before the answer is 503.",
  });
  const bytes = metrics.gauge({
    name: "sluice_buffer_max_bytes",
    help: "Bytes that all partitions may hold before the answer is 503.",
  });
  const partitions = metrics.gauge({ name: "sluice_partitions", help: "Partitions of the buffer." });
  const paused = metrics.gauge({
    name: "sluice_partitions_paused",
    help: "Partitions whose flushing an operator has paused.",
  });
  return (status) => {
    records.set(status.limits.records * status.partitions);
    bytes.set(status.limits.bytes * status.partitions);
    partitions.set(status.partitions);
    paused.set(status.partitionsPaused);
  };
}

/** What is in the buffer now. */
function registerBuffer(metrics: Metrics): Show {
  const records = metrics.gauge({
    name: "sluice_buffer_records",
    help: "Records accepted and not yet in MySQL.",
    labels: ["list"],
  });
  const bytes = metrics.gauge({ name: "sluice_buffer_bytes", help: "Bytes of the pending records." });
  const oldest = metrics.gauge({
    name: "sluice_buffer_oldest_age_seconds",
    help: "How long the oldest pending record has waited; 0 when nothing is pending.",
  });
  const stalled = metrics.gauge({
    name: "sluice_buffer_stalled_seconds",
    help: "Since in some partition something waits and nothing was flushed; 0 when nothing is pending.",
  });
  const drained = metrics.gauge({
    name: "sluice_partitions_drained",
    help: "Partitions that a flusher drains now.",
  });
  const dead = metrics.gauge({
    name: "sluice_dead_letters",
    help: "Records that MySQL refused, or whose number another record holds.",
  });
  return (status) => {
    records.set({ list: "chats" }, status.pending.chats);
    records.set({ list: "messages" }, status.pending.messages);
    bytes.set(status.pendingBytes);
    oldest.set(status.oldestAgeSeconds);
    stalled.set(status.stalledSeconds);
    drained.set(status.partitionsDrained);
    dead.set(status.deadLetters);
  };
}

/** What was done so far. The totals are kept in Redis; the counters only repeat them. */
function registerTotals(metrics: Metrics): Show {
  const accepted = metrics.counter({
    name: "sluice_accepted_total",
    help: "Records numbered and kept.",
    labels: ["list"],
  });
  const rows = metrics.counter({
    name: "sluice_flush_rows_total",
    help: "Rows inserted into MySQL, by why the flush ran.",
    labels: ["trigger"],
  });
  const flushes = metrics.counter({
    name: "sluice_flushes_total",
    help: "Batches committed to MySQL, by why the flush ran.",
    labels: ["trigger"],
  });
  const conflicts = metrics.counter({
    name: "sluice_number_conflicts_total",
    help: "Records whose number another record held in MySQL; this must stay 0.",
  });
  return (status) => {
    const { flushed } = status;
    for (const counter of [accepted, rows, flushes, conflicts]) counter.reset();
    accepted.inc({ list: "chats" }, status.accepted.chats);
    accepted.inc({ list: "messages" }, status.accepted.messages);
    for (const trigger of ["threshold", "minute", "manual"] as const) {
      rows.inc({ trigger }, flushed.rowsByTrigger[trigger]);
      flushes.inc({ trigger }, flushed.flushesByTrigger[trigger]);
    }
    conflicts.inc(flushed.conflicts);
  };
}

function registerDurations(metrics: Metrics): Show {
  let counts = { cumulative: [] as readonly number[], sum: 0 };
  metrics.countedElsewhere({
    name: "sluice_flush_duration_seconds",
    help: "Time to write one batch to MySQL.",
    buckets: durationBuckets,
    read: () => counts,
  });
  return ({ flushed }) => {
    counts = { cumulative: flushed.durationCounts, sum: flushed.durationSumSeconds };
  };
}

/** How far the search index is behind. */
function registerIndex(metrics: Metrics): Show {
  const owed = metrics.gauge({
    name: "sluice_search_owed",
    help: "Messages whose search document must be written again.",
  });
  const oldest = metrics.gauge({
    name: "sluice_search_oldest_owed_age_seconds",
    help: "How long the oldest of them has waited; 0 when there is none.",
  });
  const indexed = metrics.counter({
    name: "sluice_search_indexed_total",
    help: "Search documents written or removed.",
  });
  const refused = metrics.gauge({
    name: "sluice_search_refused",
    help: "Messages that the search index does not take.",
  });
  return ({ index }) => {
    owed.set(index.owed.documents);
    oldest.set(index.oldestAgeSeconds);
    indexed.reset();
    indexed.inc(index.indexed);
    refused.set(index.refused);
  };
}
