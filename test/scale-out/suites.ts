/**
 * The tests that are run on engines of several servers. Those named nowhere here stop their engines, look into them as
 * one server, or start some of their own.
 */

/** What users and operators see: on a Redis Cluster, of several partitions, before a MySQL of several servers. */
export const suites = [
  "test/e2e/{processes,reads,removal,time-zones}.test.ts",
  "test/history/**/*.test.ts",
  "test/http/**/*.test.ts",
  "test/jobs/{counts,schedule,shown}.test.ts",
  "test/ops/{access,actions,dashboard,history,jobs,live-feed,pages}.test.ts",
] as const;

/**
 * The parts beneath, on the same MySQL and one Redis: these tests call the parts by the number of a partition and look
 * at its keys, and know only the first.
 */
export const suitesOfOnePartition = [
  "test/buffer/{accepting,acknowledging,deleting,pending-batches,revising,seeding}.test.ts",
  "test/crash/{first-epoch,paused,steps}.test.ts",
  "test/e2e/bodies.test.ts",
  "test/flusher/**/*.test.ts",
  "test/store/**/*.test.ts",
] as const;
