import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { describeReport } from "./torture-report.ts";
import { torture } from "./torture.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string" },
    seed: { type: "string" },
    cluster: { type: "boolean" },
    spider: { type: "boolean" },
    history: { type: "string" },
  },
});
const minutes = Number(values.minutes ?? 10);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
if (!(minutes > 0) || !Number.isInteger(seed)) {
  throw new Error("usage: --minutes <number> --seed <integer> --cluster --spider --history <file>");
}
console.log(`torture for ${minutes} minutes, seed ${seed}`);
const report = await torture(minutes * 60_000, seed, {
  redis: values.cluster ? "cluster" : "server",
  database: values.spider ? "spider" : "mariadb",
});
console.log(describeReport(report));
if (values.history !== undefined && report.problems.length > 0)
  writeFileSync(values.history, report.history.map((act) => `${JSON.stringify(act)}\n`).join(""));
// At once: Node's own way out waits now and then for ever for a connection that was reset.
process.exit(report.problems.length === 0 ? 0 : 1);
