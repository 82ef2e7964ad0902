import { readdirSync } from "node:fs";
import path from "node:path";

/**
 * The tests that are run on engines of several servers. Those named nowhere here stop their engines, look into them as
 * one server, or start some of their own.
 */

/** What users and operators see: on a Redis Cluster, of several partitions, before a MySQL of several servers. */
export const suites: readonly string[] = [
  ...filesIn("test/e2e", "processes", "reads", "removal", "time-zones"),
  ...filesIn("test/http"),
  ...filesIn("test/jobs", "schedule", "shown"),
  ...filesIn("test/ops", "access", "actions", "dashboard", "history", "jobs", "live-feed", "pages"),
];

/**
 * The parts beneath, on the same MySQL and one Redis: these tests call the parts by the number of a partition and look
 * at its keys, and know only the first.
 */
export const suitesOfOnePartition: readonly string[] = [
  ...filesIn(
    "test/buffer",
    "accepting",
    "acknowledging",
    "deleting",
    "pending-batches",
    "revising",
    "seeding",
  ),
  ...filesIn("test/crash", "first-epoch", "paused", "steps"),
  ...filesIn("test/e2e", "bodies"),
  ...filesIn("test/flusher"),
  ...filesIn("test/history"),
  ...filesIn("test/jobs", "counts"),
  ...filesIn("test/store"),
];

/** The tests of a folder, those of these names or all. @throws where one is not there */
function filesIn(folder: string, ...names: readonly string[]): string[] {
  const all = readdirSync(folder).filter((name) => name.endsWith(".test.ts"));
  const wanted = names.length === 0 ? all : names.map((name) => `${name}.test.ts`);
  const missing = wanted.filter((name) => !all.includes(name));
  if (missing.length > 0) throw new Error(`there is no ${missing.join(", ")} in ${folder}`);
  return wanted.map((name) => path.join(folder, name));
}
