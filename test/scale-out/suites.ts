/** The tests that are run on engines of several servers. The others need a single one, to stop it or look into it. */
export const suites = [
  "test/buffer/{accepting,acknowledging,deleting,pending-batches,revising,seeding}.test.ts",
  "test/crash/{first-epoch,paused,steps}.test.ts",
  "test/e2e/{bodies,processes,reads,removal,time-zones}.test.ts",
  "test/flusher/**/*.test.ts",
  "test/history/**/*.test.ts",
  "test/http/**/*.test.ts",
  "test/jobs/{counts,schedule,shown}.test.ts",
  "test/ops/{access,actions,history,jobs,live-feed,pages}.test.ts",
  "test/store/**/*.test.ts",
] as const;
